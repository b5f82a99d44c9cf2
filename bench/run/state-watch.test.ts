import test from 'ava'
import type { RunningNode } from './node.ts'
import type { Operator } from './operator.ts'
import { differingOf, StateWatch } from './state-watch.ts'

test('who stands apart is counted, and who does not answer', (t) => {
  t.is(differingOf(['a', 'a', 'a']), 0)
  t.is(differingOf(['a', 'b', 'a']), 1)
  t.is(differingOf(['a', '', 'a']), 1)
  t.is(differingOf(['', '']), 2)
})

test('after an outage it asks until all say the same, and tells how long that took', async (t) => {
  const said: string[] = []
  let asked = 0
  const node = (id: string, kind: 'core' | 'relay') => ({ id, kind }) as RunningNode
  const ask = async ({ id }: RunningNode) => {
    asked += 1
    return { hash: id === 'core' || asked > 4 ? 'new' : 'old' }
  }
  const watch = new StateWatch([node('core', 'core'), node('d1', 'relay')], {
    operator: { ask } as unknown as Operator,
    room: 'bench',
    note: (what) => said.push(what),
  })
  await watch.untilSame()
  t.regex(said.join(), /at one again after \d+ ms/)
  t.is(watch.figures()['converged.count'], 1)
  await watch.last()
  t.is(watch.figures()['state.differing'], 0)
})
