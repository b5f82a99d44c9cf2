/** Who may do what: a viewer sends nothing, however hard it tries, until the chair brings it on stage. */
import test from 'ava'
import { Packr } from 'msgpackr'
import { eventually, keepScreenshot, openBrowser } from './browser.ts'
import { startCore } from './core-process.ts'
import {
  framesDecoded,
  idOf,
  joinByLink,
  linkFor,
  openPerson,
  type Person,
  slotsOf,
  soundEnergy,
  statsOf,
} from './person.ts'

const packr = new Packr({ useRecords: false })

test.serial(
  'a viewer cannot publish, by message or by force, until the chair brings it on stage',
  async (t) => {
    const { chair, viewer } = await openRoom(t)
    const refused = await requestAs(viewer, { type: 'publish', use: 'camera', live: true })
    t.is(refused.code, 'forbidden')

    // Its camera section was negotiated, so a forged page can really send into it.
    await viewer.page.evaluate(async () => {
      const devices = await navigator.mediaDevices.getUserMedia({ audio: true, video: true })
      const senders = window.tappedConnections.at(-1)?.getTransceivers() ?? []
      for (const track of devices.getTracks()) {
        const free = senders.find(
          ({ direction, sender, receiver }) =>
            direction === 'sendonly' && sender.track === null && receiver.track.kind === track.kind,
        )
        await free?.sender.replaceTrack(track)
      }
    })
    await eventually('sends by force', async () => (await sentBytes(viewer)) > 100_000, 90_000)
    t.deepEqual(
      slotsOf(chair).filter(({ participant }) => participant !== null),
      [],
    )
    t.is(await receivedMedia(chair), 0)
    t.is(await framesDecoded(chair), 0)

    await act(chair, viewer, 'to-stage')
    await viewer.byId('notice').first().waitFor()
    await viewer.byId('camera').click()
    await viewer.byId('microphone').click()
    await eventually('the chair sees', async () => (await framesDecoded(chair)) > 20, 90_000)
    await eventually('the chair hears', async () => (await soundEnergy(chair)) > 0.001)

    await act(chair, viewer, 'off-stage')
    await eventually('gone again', () =>
      slotsOf(chair).every(({ state }) => state === 'empty' || state === 'waiting'),
    )
    t.deepEqual([chair.faults, viewer.faults], [[], []])
  },
)

test.serial(
  'hands, chat, mute by the chair, pin, lock and roster work between pages',
  async (t) => {
    const { core, context, chair, viewer } = await openRoom(t, 'speaker')
    await eventually('the chair hears the speaker', async () => (await soundEnergy(chair)) > 0.001)

    await viewer.byId('hand').click()
    await chair.byId('people').click()
    await chair.byId('hands').getByText('Mường Nhé').first().waitFor()
    await act(chair, viewer, 'lower-hand')
    await viewer.page.locator('[data-testid="hand"][aria-pressed="false"]').waitFor()

    await act(chair, viewer, 'mute-microphone')
    await viewer.page.locator('[data-testid="microphone"][aria-pressed="false"]').waitFor()
    await eventually('silence', () => isSilent(chair))
    await act(chair, viewer, 'unmute-microphone')
    await eventually('sound again', async () => !(await isSilent(chair)))

    await act(chair, viewer, 'pin')
    await eventually('pinned for the speaker too', () =>
      viewer.received.some(
        ({ pin }) => (pin as { participant?: string } | null)?.participant === idOf(viewer),
      ),
    )
    await keepScreenshot(chair.page, 'roles-people-panel-vi')

    await viewer.byId('chat').click()
    await viewer.byId('chat-input').fill('Mường Nhé nghe rõ ạ <b>&</b>')
    await viewer.byId('chat-send').click()
    await chair.byId('panel-close').click()
    await chair.byId('chat').click()
    await chair.byId('chat-message').getByText('Mường Nhé nghe rõ ạ <b>&</b>').waitFor()
    await keepScreenshot(chair.page, 'roles-chat-vi')

    await chair.byId('panel-close').click()
    await chair.byId('people').click()
    t.is(await chair.byId('people-stage').locator('[data-testid="person"]').count(), 2)
    await chair.byId('lock').click()
    await viewer.byId('locked').waitFor()
    const late = await openPerson(context)
    await late.page.goto(linkFor(core, { room: 'clinic', role: 'viewer', name: 'Muộn' }))
    await late.byId('join').click()
    await late.page.locator('[data-testid="ended"][data-code="room-locked"]').waitFor()
    t.deepEqual([chair.faults, viewer.faults, late.faults], [[], [], []])
  },
)

async function openRoom(t: Parameters<typeof openBrowser>[0], role = 'viewer') {
  const core = await startCore(t)
  const context = await openBrowser(t, { framesPerSecond: 10 })
  const chair = await openPerson(context)
  const viewer = await openPerson(context)
  await joinByLink(chair, linkFor(core, { room: 'clinic', role: 'chair', name: 'Chủ tọa' }))
  await joinByLink(viewer, linkFor(core, { room: 'clinic', role, name: 'Mường Nhé' }))
  return { core, context, chair, viewer }
}

/** As the chair: opens the list and does one of the actions on somebody. */
async function act(chair: Person, other: Person, action: string): Promise<void> {
  if (!(await chair.byId('panel-people').isVisible())) await chair.byId('people').click()
  const row = chair.page
    .locator(`[data-testid="person"][data-participant="${idOf(other)}"]`)
    .first()
  await row.locator('[data-testid="person-actions"]').first().click()
  await row.locator(`[data-testid="${action}"]`).click()
}

/** Sends one request over the page's own connection, past the page's own rules; resolves with the answer. */
async function requestAs(person: Person, message: object): Promise<Record<string, unknown>> {
  const ref = 4_000_000_000
  const bytes = [...packr.pack({ ...message, ref })]
  await person.page.evaluate((frame) => {
    window.tappedSockets.at(-1)?.send(new Uint8Array(frame))
  }, bytes)
  return await eventually('an answer', () => person.received.find((answer) => answer.ref === ref))
}

async function sentBytes(person: Person): Promise<number> {
  const entries = await statsOf(person, 'outbound-rtp')
  return entries.reduce((sum, entry) => sum + Number(entry.bytesSent ?? 0), 0)
}

async function receivedMedia(person: Person): Promise<number> {
  const entries = await statsOf(person, 'inbound-rtp')
  return entries.reduce((sum, entry) => sum + Number(entry.packetsReceived ?? 0), 0)
}

/** No energy to speak of within a second and a half: the fake device beeps once a second. */
async function isSilent(person: Person): Promise<boolean> {
  const before = await soundEnergy(person)
  await person.page.waitForTimeout(1_500)
  return (await soundEnergy(person)) - before < 0.000_1
}
