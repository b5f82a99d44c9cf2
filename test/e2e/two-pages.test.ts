/** Two windows of one machine, as after `npm ci && npm start`: they see and hear each other, in both languages. */
import test from 'ava'
import { eventually, keepScreenshot, openBrowser } from './browser.ts'
import { startCore } from './core-process.ts'
import { framesDecoded, idOf, joinDemo, openPerson, slotsOf, soundEnergy } from './person.ts'

test('two pages on localhost see and hear each other in room demo', async (t) => {
  const core = await startCore(t)
  const context = await openBrowser(t)
  const mai = await openPerson(context)
  const john = await openPerson(context)
  await joinDemo(mai, core.url, { name: 'Lò Thị Mai', language: 'vi' })
  await joinDemo(john, core.url, { name: 'John Nguyen', language: 'en' })

  for (const [watcher, other] of [
    [mai, john],
    [john, mai],
  ] as const) {
    await eventually('decodes a second of the main picture', async () => {
      return (await framesDecoded(watcher)) > 25
    })
    const before = await framesDecoded(watcher)
    await eventually('goes on decoding', async () => (await framesDecoded(watcher)) > before + 25)
    // The fake microphone beeps once a second at full scale; silence would stay below 1e-6.
    await eventually('hears the beep', async () => (await soundEnergy(watcher)) > 0.001)
    const shown = slotsOf(watcher).filter(({ state }) => state === 'live')
    t.true(shown.length > 0)
    t.true(shown.every(({ participant }) => participant === idOf(other)))
  }
  await mai.byId('main-name').filter({ hasText: 'John Nguyen' }).waitFor()
  await john.byId('main-name').filter({ hasText: 'Lò Thị Mai' }).waitFor()
  t.regex((await mai.byId('count-stage').textContent()) ?? '', /2/)

  await keepScreenshot(mai.page, 'two-pages-vi')
  await keepScreenshot(john.page, 'two-pages-en')
  t.deepEqual([mai.faults, john.faults], [[], []])
})
