/** The page in both languages, on a desk and on a phone, by keyboard alone, and without any device. */
import test from 'ava'
import { graveViolations } from './accessibility.ts'
import { eventually, keepScreenshot, openBrowser } from './browser.ts'
import { startCore } from './core-process.ts'
import { framesDecoded, joinDemo, openPerson, type Person, soundEnergy } from './person.ts'

const DESK = { width: 1280, height: 800 }
const PHONE = { width: 360, height: 740 }
/** What a text that was not translated looks like. */
const KEY =
  /\b(app|banner|call|chair|chat|control|device|ended|error|gate|help|lobby|people|poll|quality|relay|role|say|settings|statistics)\.[a-z][A-Za-z]+/

test.serial(
  'every screen is whole and accessible in Vietnamese and English, on a desk and on a phone',
  async (t) => {
    const violations = new Set<string>()
    const core = await startCore(t)
    const context = await openBrowser(t, { framesPerSecond: 10 })
    const other = await openPerson(context)
    await joinDemo(other, core.url, { name: 'Lò Thị Mai', role: 'chair' })
    for (const language of ['vi', 'en']) {
      const person = await openPerson(context)
      for (const [device, size] of [
        ['phone', PHONE],
        ['desk', DESK],
      ] as const) {
        const look = async (screen: string): Promise<void> => {
          t.deepEqual(await flaws(person, language), [], `${screen} ${device} ${language}`)
          for (const violation of await graveViolations(person.page)) {
            violations.add(`${screen} ${device} ${language}: ${violation}`)
          }
          await keepScreenshot(person.page, `${screen}-${device}-${language}`)
        }
        await person.page.setViewportSize(size)
        await person.page.goto(`${core.url}/?lang=${language}`)
        await person.byId('level').waitFor()
        await look('lobby')
        await joinDemo(person, core.url, { name: `Người xem ${device}`, language })
        await eventually('a picture', async () => (await framesDecoded(person)) > 5, 90_000)
        await look('call')
        for (const panel of ['chat', 'people']) {
          await person.byId(panel).click()
          await person.byId(`panel-${panel}`).waitFor()
          await look(panel)
          await person.byId('panel-close').click()
        }
        for (const panel of ['polls', 'statistics', 'settings', 'help']) {
          await person.byId('more').click()
          await person.byId(`open-${panel}`).click()
          await person.byId(`panel-${panel}`).waitFor()
          await look(panel)
          await person.byId('panel-close').click()
        }
        await person.byId('leave').click()
        await person.byId('ended').waitFor()
        await look('ended')
      }
      t.deepEqual(person.faults, [])
      await person.page.close()
    }
    t.deepEqual([...violations], [], 'what axe calls serious or critical')
  },
)

test.serial('one joins, mutes and leaves by the keyboard alone', async (t) => {
  const core = await startCore(t)
  const context = await openBrowser(t)
  const { page, byId, faults } = await openPerson(context)
  await page.goto(`${core.url}/?lang=vi`)
  await byId('level').waitFor()
  await tabTo(page, 'demo-name')
  await page.keyboard.type('Y tá Páo')
  await page.keyboard.press('Enter')
  await byId('call').waitFor()
  await tabTo(page, 'microphone')
  await page.keyboard.press('Space')
  await page.locator('[data-testid="microphone"][aria-pressed="false"]').waitFor()
  await tabTo(page, 'leave')
  await page.keyboard.press('Enter')
  await byId('ended').waitFor()
  t.deepEqual(faults, [])
})

test.serial(
  'who presses Enter while the camera is still being opened comes in with it',
  async (t) => {
    const core = await startCore(t)
    const person = await openPerson(await openBrowser(t))
    const { page, byId, faults } = person
    await page.addInitScript(holdCamera)
    await page.goto(`${core.url}/?lang=vi`)
    await byId('level').waitFor()
    await tabTo(page, 'demo-name')
    await page.keyboard.press('Enter')
    await byId('lobby-problem').getByText('Hãy nhập tên').waitFor()
    await page.keyboard.type('Y tá Páo')
    await page.keyboard.press('Enter')
    await byId('join').getByText('Đang vào').waitFor()
    t.is(await focusedId(page), 'demo-name', 'the keyboard stays where it was')
    t.is(await byId('call').count(), 0, 'it waits for the camera')
    await page.evaluate(() => window.openCamera())
    await byId('call').waitFor()
    await page.locator('[data-testid="camera"][aria-pressed="true"]').waitFor()
    t.deepEqual(faults, [])
  },
)

test.serial(
  'one without camera and microphone comes in to listen, and sees and hears',
  async (t) => {
    const core = await startCore(t)
    const speaker = await openPerson(await openBrowser(t))
    await joinDemo(speaker, core.url, { name: 'Chủ tọa' })
    const listener = await openPerson(await openBrowser(t, { devices: false, locale: 'en-US' }))
    await joinDemo(listener, core.url, { name: 'Listener', language: 'en', listen: true })
    await eventually('sees', async () => (await framesDecoded(listener)) > 20, 90_000)
    await eventually('hears', async () => (await soundEnergy(listener)) > 0.001)
    t.is(await listener.byId('notice').count(), 0, 'nobody invited it')
    await keepScreenshot(listener.page, 'listen-only-en')
    t.deepEqual(listener.faults, [])
  },
)

declare global {
  interface Window {
    openCamera: () => void
  }
}

/** Runs in the page: the camera opens when `openCamera` is called, as where the person is asked or the machine slow. */
const holdCamera = (): void => {
  const opened = new Promise<void>((resolve) => {
    window.openCamera = resolve
  })
  const devices = navigator.mediaDevices
  const open = devices.getUserMedia.bind(devices)
  devices.getUserMedia = async (wanted) => {
    if (wanted?.video !== undefined) await opened
    return open(wanted)
  }
}

const focusedId = (page: Person['page']): Promise<string | null | undefined> =>
  page.evaluate(() => document.activeElement?.getAttribute('data-testid'))

const PRESSES_MAX = 60

/** Presses Tab until the element has the focus, as somebody without a mouse does. */
async function tabTo(page: Person['page'], id: string): Promise<void> {
  const visited: (string | null | undefined)[] = []
  while (visited.length < PRESSES_MAX) {
    const focused = await focusedId(page)
    if (focused === id) return
    visited.push(focused)
    await page.keyboard.press('Tab')
  }
  throw new Error(`the keyboard does not reach ${id}, but ${visited.join(' ')}`)
}

/** Untranslated keys, a wrong language mark, anything wider than the screen. */
async function flaws({ page }: Person, language: string): Promise<string[]> {
  const { text, lang, overflowPx } = await page.evaluate(() => {
    const labels = [...document.querySelectorAll('[aria-label], [title]')].map((element) =>
      [element.getAttribute('aria-label'), element.getAttribute('title')].join(' '),
    )
    const { scrollWidth, clientWidth, lang } = document.documentElement
    return {
      text: [document.title, document.body.textContent, ...labels].join('\n'),
      lang,
      overflowPx: scrollWidth - clientWidth,
    }
  })
  return [
    ...(KEY.exec(text)?.slice(0, 1) ?? []),
    ...(/undefined|NaN|\[object/.exec(text) ?? []),
    ...(lang === language ? [] : [`lang=${lang}`]),
    ...(overflowPx > 0 ? [`${overflowPx} px too wide`] : []),
  ]
}
