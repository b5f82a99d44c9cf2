import test from 'ava'
import type { SpeechLimit } from '../stage-port.ts'
import { SpeechLimits } from './speech-limits.ts'

function start() {
  const told: string[] = []
  const limits = new SpeechLimits((id, { packetMs, bitrateBps }) =>
    told.push(`${id}: ${packetMs} ms ${bitrateBps}`),
  )
  return { limits, take: () => told.splice(0) }
}

const limit = (packetMs: number, bitrateBps: number): SpeechLimit => ({ packetMs, bitrateBps })

test('the strictest of all links counts, and changes alone are told', (t) => {
  const { limits, take } = start()
  const [a, b] = [{}, {}]
  limits.ask(1, a, limit(20, 0))
  t.deepEqual(take(), [])
  limits.ask(1, a, limit(40, 0))
  limits.ask(1, b, limit(20, 16_000))
  limits.ask(1, a, limit(40, 24_000))
  t.deepEqual(take(), ['1: 40 ms 0', '1: 40 ms 16000'])
  limits.ask(1, b, limit(60, 12_000))
  limits.ask(2, b, limit(60, 12_000))
  t.deepEqual(take(), ['1: 60 ms 12000', '2: 60 ms 12000'])
  limits.forgetAsker(b)
  t.deepEqual(take(), ['1: 40 ms 24000', '2: 20 ms 0'])
  limits.ask(1, a, limit(20, 0))
  t.deepEqual(take(), ['1: 20 ms 0'])
})

test('on another way the publisher hears again what holds, and one that is gone nothing', (t) => {
  const { limits, take } = start()
  const a = {}
  limits.ask(1, a, limit(60, 8_000))
  take()
  limits.tellAgain(1)
  limits.tellAgain(2)
  t.deepEqual(take(), ['1: 60 ms 8000'])
  limits.forgetTrack(1)
  limits.tellAgain(1)
  limits.forgetAsker(a)
  t.deepEqual(take(), [])
})
