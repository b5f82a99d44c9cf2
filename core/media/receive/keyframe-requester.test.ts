import test from 'ava'
import { KeyframeRequester } from './keyframe-requester.ts'

test('the first wish is sent at once, a hundred more are one request', (t) => {
  const keyframes = new KeyframeRequester()
  t.is(keyframes.nextDeadlineMs(), Infinity)
  t.false(keyframes.collect(1_000))
  for (let index = 0; index < 100; index++) keyframes.request()
  t.true(keyframes.nextDeadlineMs() <= 1_000)
  t.true(keyframes.collect(1_000))
  t.false(keyframes.collect(1_000))
  keyframes.request()
  t.false(keyframes.collect(1_499))
  t.is(keyframes.sentCount, 1)
})

test('it is repeated every 500 ms until a keyframe comes', (t) => {
  const keyframes = new KeyframeRequester()
  keyframes.request()
  t.true(keyframes.collect(0))
  t.is(keyframes.nextDeadlineMs(), 500)
  t.true(keyframes.collect(500))
  t.true(keyframes.collect(1_000))
  keyframes.onKeyframe()
  t.false(keyframes.isWanted)
  t.is(keyframes.nextDeadlineMs(), Infinity)
  t.false(keyframes.collect(9_000))
})

test('a new wish right after a keyframe still keeps the distance of 500 ms', (t) => {
  const keyframes = new KeyframeRequester()
  keyframes.request()
  keyframes.collect(0)
  keyframes.onKeyframe()
  keyframes.request()
  t.false(keyframes.collect(499))
  t.true(keyframes.collect(500))
})

test('an encoder that never answers is asked less often, but for ever', (t) => {
  const keyframes = new KeyframeRequester()
  keyframes.request()
  const sent: number[] = []
  for (let nowMs = 0; nowMs <= 20_000; nowMs += 100) if (keyframes.collect(nowMs)) sent.push(nowMs)
  t.deepEqual(sent.slice(0, 3), [0, 500, 1_000])
  t.deepEqual(sent.slice(-2), [17_500, 19_500])
  keyframes.cancel()
  t.is(keyframes.nextDeadlineMs(), Infinity)
})

test('where the round trip is long the answer is waited for', (t) => {
  const keyframes = new KeyframeRequester()
  keyframes.setRttMs(600)
  keyframes.request()
  keyframes.collect(0)
  t.is(keyframes.nextDeadlineMs(), 900)
})
