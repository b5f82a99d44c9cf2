import test from 'ava'
import fc from 'fast-check'
import { NEVER, TimerWheel } from './timer-wheel.ts'

test('a task runs in the slot after its time, never before', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 50 }),
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 30, maxLength: 60 }),
      (dues, steps) => {
        const wheel = new TimerWheel(0)
        const ranAt = new Map<number, number>()
        dues.forEach((dueMs, index) => {
          wheel.add(dueMs, (nowMs) => {
            ranAt.set(index, nowMs)
            return NEVER
          })
        })
        const moments: number[] = []
        let nowMs = 0
        for (const step of steps) {
          nowMs += step
          moments.push(nowMs)
          wheel.advance(nowMs)
        }
        return dues.every((dueMs, index) => {
          const ran = ranAt.get(index)
          const first = moments.find((moment) => moment >= dueMs + 4)
          if (ran === undefined) return first === undefined
          return ran >= dueMs && (first === undefined || ran <= first)
        })
      },
    ),
  )
  t.pass()
})

test('a repeated task runs as often as its times come, and ends with NEVER', (t) => {
  const wheel = new TimerWheel(1000)
  let runs = 0
  wheel.add(1000, () => {
    runs += 1
    return runs === 5 ? NEVER : 1000 + runs * 20
  })
  for (let nowMs = 1000; nowMs <= 1200; nowMs += 4) wheel.advance(nowMs)
  t.is(runs, 5)
  t.is(wheel.size, 0)
})

test('a cancelled task does not run and is forgotten', (t) => {
  const wheel = new TimerWheel(0)
  const ticket = wheel.add(10, () => t.fail() as never)
  ticket.cancel()
  wheel.advance(5000)
  t.is(wheel.size, 0)
})

test('a task that is late after a long sleep runs once and goes on from its own next time', (t) => {
  const wheel = new TimerWheel(0)
  const ranAt: number[] = []
  wheel.add(20, (nowMs) => {
    ranAt.push(nowMs)
    return nowMs + 20
  })
  wheel.advance(60_000)
  t.deepEqual(ranAt, [60_000])
  wheel.advance(60_024)
  t.deepEqual(ranAt, [60_000, 60_024])
})

test('a task may add others and cancel its neighbour while it runs', (t) => {
  const wheel = new TimerWheel(0)
  const ran: string[] = []
  wheel.add(1, () => {
    ran.push('first')
    neighbour.cancel()
    wheel.add(2, () => {
      ran.push('added')
      return NEVER
    })
    return NEVER
  })
  const neighbour = wheel.add(1, () => {
    ran.push('neighbour')
    return NEVER
  })
  wheel.advance(8)
  wheel.advance(12)
  t.deepEqual(ran, ['first', 'added'])
})
