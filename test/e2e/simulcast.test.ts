/**
 * Three layers go out; a viewer behind a link that shrinks and grows again sees a smaller picture,
 * never a frozen one.
 */
import test from 'ava'
import { eventually, keepScreenshot, openBrowser } from './browser.ts'
import { startCore } from './core-process.ts'
import { createNamespace } from './namespace.ts'
import { framesDecoded, joinByLink, linkFor, openPerson, type Person, statsOf } from './person.ts'
import { watchGaps } from './picture.ts'

const NARROW_KBPS = 450
const FREEZE_MS_MAX = 1_000
const SETTLED_FRAMES = 40

test('three layers are sent; a squeezed viewer moves down and up without a freeze', async (t) => {
  const namespace = createNamespace(t, 21)
  const core = await startCore(t)
  // Ten frames a second: an encoder short of CPU gives up its upper layers.
  const speaker = await openPerson(await openBrowser(t, { framesPerSecond: 10 }))
  await joinByLink(speaker, linkFor(core, { room: 'squeeze', role: 'speaker', name: 'Hà Nội' }))
  const layers = await eventually('three layers flow', () => flowingLayers(speaker), 120_000)
  t.deepEqual([...layers.keys()].sort(), ['f', 'h', 'q'])
  const full = Math.max(...layers.values())
  t.is(layers.get('h'), full / 2)
  t.is(layers.get('q'), full / 4)

  const away = core.url.replace('localhost', namespace.hostAddress)
  const far = await openBrowser(t, { namespace: namespace.name, secureOrigins: [away] })
  const viewer = await openPerson(far)
  const link = linkFor(core, { room: 'squeeze', role: 'viewer', name: 'Mường Nhé' })
  await joinByLink(viewer, link.replace(core.url, away))
  // A call under way, not one that just begins: four seconds of the full picture.
  let fullFrom = Number.POSITIVE_INFINITY
  await eventually(
    'the full picture, and it stays',
    async () => {
      const [height, frames] = [await heightOf(viewer), await framesDecoded(viewer)]
      fullFrom = height === full ? Math.min(fullFrom, frames) : Number.POSITIVE_INFINITY
      return frames - fullFrom > SETTLED_FRAMES
    },
    90_000,
  )
  const gaps = await watchGaps(viewer)
  namespace.squeeze(NARROW_KBPS)
  await eventually('a smaller picture', async () => (await heightOf(viewer)) < full, 90_000)
  await viewer.page.waitForTimeout(2_000)
  const down = await gaps.longestMs()
  t.true(down < FREEZE_MS_MAX, `froze for ${down} ms on the way down`)
  await keepScreenshot(viewer.page, 'simulcast-squeezed')

  await gaps.restart()
  namespace.squeeze(undefined)
  await eventually('full again', async () => (await heightOf(viewer)) === full, 90_000)
  const up = await gaps.longestMs()
  t.true(up < FREEZE_MS_MAX, `froze for ${up} ms on the way up`)
  t.true((await gaps.count()) > 20)
  t.deepEqual(viewer.faults, [])
})

/** Height of each layer that grew within the last second; undefined unless there are three. */
async function flowingLayers(person: Person): Promise<Map<string, number> | undefined> {
  const before = new Map(
    (await statsOf(person, 'outbound-rtp')).map((entry) => [entry.id, Number(entry.bytesSent)]),
  )
  await person.page.waitForTimeout(1_000)
  const flowing = (await statsOf(person, 'outbound-rtp')).filter(
    ({ rid, active, id, bytesSent }) =>
      typeof rid === 'string' && active === true && Number(bytesSent) > (before.get(id) ?? 0),
  )
  const heights = new Map(flowing.map(({ rid, frameHeight }) => [String(rid), Number(frameHeight)]))
  return heights.size === 3 ? heights : undefined
}

/** Height of the decoded main picture, 0 before the first. */
function heightOf(person: Person): Promise<number> {
  return person.page.evaluate(
    () => document.querySelector<HTMLVideoElement>('[data-testid="main-video"]')?.videoHeight ?? 0,
  )
}
