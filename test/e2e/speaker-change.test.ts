/** Who speaks takes the main picture, in the same slot, under the SDP that was agreed when the viewer came. */
import test from 'ava'
import { eventually, openBrowser } from './browser.ts'
import { startCore } from './core-process.ts'
import {
  framesDecoded,
  idOf,
  joinByLink,
  linkFor,
  mainMidOf,
  openPerson,
  type Person,
  slotsOf,
} from './person.ts'
import { watchGaps } from './picture.ts'

const BLACK_MS_MAX = 1_000
/**
 * Request, key frame, its way and its decoding: a machine that stands still in the middle of a quiet
 * picture does so at each of them.
 */
const STEPS_OF_CHANGE = 4
const QUIET_FRAMES = 40

test('the speaker changes without a new offer, and the main picture never stands still', async (t) => {
  const core = await startCore(t)
  // Ten frames a second: three encoders share this machine with everybody else.
  const context = await openBrowser(t, { framesPerSecond: 10 })
  const open = async (name: string, role: string): Promise<Person> => {
    const person = await openPerson(context)
    await joinByLink(person, linkFor(core, { room: 'hall', role, name }))
    return person
  }
  const speakers: Person[] = []
  for (const name of ['Sơn La', 'Điện Biên', 'Lai Châu']) {
    const person = await open(name, 'speaker')
    await person.byId('microphone').click()
    speakers.push(person)
  }
  const viewer = await open('Mường Nhé', 'viewer')
  const [first, second, third] = speakers as [Person, Person, Person]

  await speak(first, true)
  await eventually('the first is shown', () => isMain(viewer, first))
  await eventually('and decoded', async () => (await framesDecoded(viewer)) > 20)
  const gaps = await watchGaps(viewer)
  await eventually('a quiet picture', async () => (await gaps.count()) > QUIET_FRAMES)
  const quietMs = await gaps.longestMs()
  await gaps.restart()
  const offers = countOffers(viewer)

  let silent = first
  for (const speaker of [second, third]) {
    await speak(silent, false)
    await speak(speaker, true)
    await eventually('the speaker takes the main picture', () => isMain(viewer, speaker))
    const before = await framesDecoded(viewer)
    await eventually('which goes on', async () => (await framesDecoded(viewer)) > before + 20)
    silent = speaker
  }
  const longest = await gaps.longestMs()
  const limitMs = Math.max(BLACK_MS_MAX, STEPS_OF_CHANGE * quietMs)
  t.true(longest < limitMs, `stood still for ${longest} ms; ${quietMs} without a change`)
  t.log(`stood still for at most ${longest} ms; ${quietMs} without a change`)
  t.is(offers, 1)
  t.is(countOffers(viewer), 1)
  t.is(viewer.received.filter(({ type }) => type === 'answer').length, 1)
  t.regex((await viewer.byId('main-name').textContent()) ?? '', /^Lai Châu/)
  t.deepEqual(viewer.faults, [])
})

const countOffers = (person: Person): number =>
  person.sent.filter(({ type }) => type === 'offer').length

async function speak(person: Person, aloud: boolean): Promise<void> {
  await person.byId('microphone').click()
  await person.page.locator(`[data-testid="microphone"][aria-pressed="${aloud}"]`).waitFor()
}

function isMain(viewer: Person, speaker: Person): boolean {
  const main = slotsOf(viewer).find(({ mid }) => mid === mainMidOf(viewer))
  return main?.participant === idOf(speaker) && main.state === 'live'
}
