import test from 'ava'
import { LEVELS_FRESH_MS } from '../../config/index.ts'
import { LevelsMerge } from './media-plane-levels.ts'

test("alone, a thread's levels pass as they are", (t) => {
  const merge = new LevelsMerge()
  t.deepEqual(merge.take(1, [[10, 30]], 0), [[10, 30]])
  t.deepEqual(merge.take(1, [[10, 31]], 50), [[10, 31]])
})

test('levels of several threads are told together, each once, at the beat of the first', (t) => {
  const merge = new LevelsMerge()
  merge.take(0, [[10, 30]], 0)
  t.deepEqual(merge.take(2, [[20, 40]], 10), [])
  t.deepEqual(merge.take(0, [[10, 31]], 50), [
    [10, 31],
    [20, 40],
  ])
})

test('a thread that tells nothing any more is left out, and another sets the beat', (t) => {
  const merge = new LevelsMerge()
  merge.take(0, [[10, 30]], 0)
  t.deepEqual(merge.take(2, [[20, 40]], LEVELS_FRESH_MS), [])
  t.deepEqual(merge.take(2, [[20, 40]], LEVELS_FRESH_MS + 1), [[20, 40]])
})
