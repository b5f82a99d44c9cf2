import test from 'ava'
import { Registry } from 'prom-client'
import { Harness } from '../test/harness.ts'
import { registerDoorMetrics } from './metrics.ts'

test('the doors’ series show what was counted, also before the doors are open', async (t) => {
  const registry = new Registry()
  const harness = new Harness()
  let isOpen = false
  const figures = (): ReturnType<Parameters<typeof registerDoorMetrics>[1]> =>
    isOpen
      ? {
          counters: harness.hub.counters,
          figures: () => ({
            sockets: harness.hub.socketCount,
            participants: harness.hub.seatCount,
            rooms: harness.hub.roomCount,
            transports: harness.hub.desk.transportCount,
            whipSessions: 0,
          }),
        }
      : undefined
  registerDoorMetrics(registry, figures)
  t.regex(await registry.metrics(), /^nhipcau_door_sockets 0$/m)
  isOpen = true
  const an = await harness.join()
  await an.ask({ type: 'lock', locked: true })
  for (let scrape = 0; scrape < 2; scrape++) {
    const text = await registry.metrics()
    t.regex(text, /^nhipcau_door_sockets 1$/m)
    t.regex(text, /^nhipcau_door_joins_total 1$/m)
    t.regex(text, /^nhipcau_door_refusals_total\{code="forbidden"\} 1$/m)
    t.regex(text, /^nhipcau_door_refusals_total\{code="kicked"\} 0$/m)
  }
})
