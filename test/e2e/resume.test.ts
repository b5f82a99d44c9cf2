/** The control connection dies, the media does not: nobody else notices, and the page comes back as who it was. */
import test from 'ava'
import { eventually, keepScreenshot, openBrowser } from './browser.ts'
import { startCore } from './core-process.ts'
import { framesDecoded, idOf, joinDemo, openPerson } from './person.ts'
import { startTcpProxy } from './tcp-proxy.ts'

test('a killed WebSocket resumes: same participant, no new media, nobody saw it leave', async (t) => {
  const core = await startCore(t)
  const proxy = await startTcpProxy(t, core.httpPort)
  const context = await openBrowser(t)
  const stable = await openPerson(context)
  const shaky = await openPerson(context)
  await joinDemo(stable, core.url, { name: 'Bệnh viện Bạch Mai' })
  await joinDemo(shaky, proxy.url, { name: 'Mường Nhé' })
  for (const person of [stable, shaky])
    await eventually('sees the other', async () => (await framesDecoded(person)) > 20, 90_000)
  const id = idOf(shaky)
  const seenBefore = stable.received.length

  proxy.cut()
  await shaky.byId('banner').waitFor()
  await keepScreenshot(shaky.page, 'resume-banner-vi')
  for (const person of [stable, shaky]) {
    const before = await framesDecoded(person)
    await eventually('media goes on', async () => (await framesDecoded(person)) > before + 20)
  }
  t.true(await shaky.byId('banner').isVisible())
  proxy.mend()
  await shaky.byId('banner').waitFor({ state: 'detached' })

  const joined = shaky.received.filter(({ type }) => type === 'joined')
  t.is(joined.at(-1)?.resumed, true)
  t.is(idOf(shaky), id)
  t.is(shaky.sent.filter(({ type }) => type === 'offer').length, 1)
  const before = await framesDecoded(shaky)
  await eventually('and still goes on', async () => (await framesDecoded(shaky)) > before + 20)
  const removed = stable.received
    .slice(seenBefore)
    .flatMap(({ stage }) => (stage as { remove?: string[] } | undefined)?.remove ?? [])
  t.deepEqual(removed, [])
  t.deepEqual([stable.faults, shaky.faults], [[], []])
})
