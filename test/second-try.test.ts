import test from 'ava'
import { argumentsFor } from './second-try.ts'
import { TapReader } from './tap.ts'

const TAP = `TAP version 13
ok 1 - zz › red › skipped # SKIP
ok 2 - zz › red › c: good
#   logged by a good one
not ok 3 - zz › red › a: red * once
#   logged
  ---
    name: AssertionError
    details:
      'Difference (- actual, + expected):': |2-
          {

        -     3,
          }
    message: my message
  ...
not ok 4 - zz/red.test.ts exited with a non-zero exit code: 1
not ok 5 - red › last
  ---
    message: cut off`

function read(text: string) {
  const seen: unknown[] = []
  const reader = new TapReader({
    onPassed: (title) => seen.push(['passed', title]),
    onSkipped: (title) => seen.push(['skipped', title]),
    onFailed: (title, said) => seen.push(['failed', title, said.length]),
    onRemark: (line) => seen.push(['remark', line]),
  })
  for (const line of text.split('\n')) reader.read(line)
  reader.end()
  return seen
}

test('of TAP each failed test comes with all that it said', (t) => {
  t.deepEqual(read(TAP), [
    ['skipped', 'zz › red › skipped # SKIP'],
    ['passed', 'zz › red › c: good'],
    ['remark', '#   logged by a good one'],
    ['failed', 'zz › red › a: red * once', 11],
    ['failed', 'zz/red.test.ts exited with a non-zero exit code: 1', 0],
    ['failed', 'red › last', 2],
  ])
  t.deepEqual(read('TAP version 13\n\n1..0\n# tests 0\n# pass 0\n# fail 0\n'), [])
})

test('a failed test is asked for by its file and title, and only by them', (t) => {
  const where = { folder: 'test/e2e', files: ['red.test.ts', 'zz/red.test.ts'] }
  const ask = (what: string, said: string[] = []) => argumentsFor({ what, said }, where)
  t.deepEqual(ask('red › a › b'), ['--match', 'a › b', 'test/e2e/red.test.ts'])
  t.deepEqual(ask('zz › red › 2 * 3'), ['--match', '2 \\* 3', 'test/e2e/zz/red.test.ts'])
  t.is(ask('zz/red.test.ts exited with a non-zero exit code: 1'), undefined)
  t.is(ask('redder › a'), undefined)
})

test('where AVA gave up on the rest there is no second try', (t) => {
  const said = [
    '    message: Exited because no new tests completed within the last 600000ms of inactivity',
  ]
  const where = { folder: 'test/e2e', files: ['red.test.ts'] }
  t.is(argumentsFor({ what: 'red › a', said }, where), undefined)
})
