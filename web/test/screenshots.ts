/**
 * Draws every screen of the page in Chromium, in both languages and in three widths, for people to look at:
 * `node web/test/screenshots.ts [folder]`. Against the mock room, so no proof of the product; that is test/e2e.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import { chromiumFlags, requireChromium } from '../../bench/process/chromium.ts'
import { answerOffer } from './answerer.ts'
import type { MockRoom } from './mock-room.ts'
import { mockToken, startMockRoom } from './mock-room.ts'

const VIEWS = [
  { name: 'desktop', width: 1280, height: 800, scheme: 'light', language: 'vi' },
  { name: 'phone', width: 360, height: 740, scheme: 'light', language: 'vi' },
  { name: 'desktop-dark', width: 1366, height: 768, scheme: 'dark', language: 'en' },
  { name: 'phone-dark', width: 390, height: 844, scheme: 'dark', language: 'en' },
] as const

type View = (typeof VIEWS)[number]

const folder = process.argv[2] ?? join(tmpdir(), 'nhipcau-screens')

const problems: string[] = []

const openPage = async (context: BrowserContext, view: View): Promise<Page> => {
  const page = await context.newPage()
  await page.setViewportSize({ width: view.width, height: view.height })
  await page.emulateMedia({ colorScheme: view.scheme })
  page.on('pageerror', (error) => problems.push(`${view.name}: ${error.stack}`))
  page.on('console', (message) => {
    // A socket that the mock refuses is part of the play.
    const refused = message.text().includes('WebSocket connection')
    if (message.type() === 'error' && !refused) problems.push(`${view.name}: ${message.text()}`)
  })
  return page
}

const byId = (page: Page, id: string) => page.locator(`[data-testid="${id}"]`)

const draw = async (page: Page, view: View, name: string): Promise<void> => {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  if (overflow > 0) problems.push(`${view.name}/${name}: ${overflow} px wider than the screen`)
  await page.screenshot({ path: join(folder, `${view.name}-${name}.png`) })
}

const drawDoors = async (page: Page, view: View, room: MockRoom): Promise<void> => {
  const base = `http://127.0.0.1:${room.port}/?lang=${view.language}`
  await page.goto(`http://nhipcau.test:${room.port}/?lang=${view.language}`)
  await byId(page, 'gate').waitFor()
  await draw(page, view, '1-gate')
  await page.goto(base)
  await byId(page, 'level').waitFor()
  await page.waitForTimeout(400)
  await draw(page, view, '2-lobby-demo')
  const token = mockToken({
    room: 'Hội chẩn thứ Sáu',
    name: 'BS. Lò Thị Mai',
    site: 'Trạm y tế Mường Nhé',
    role: view.name.startsWith('desktop') ? 'chair' : 'speaker',
  })
  await page.goto(`${base}#token=${token}`)
  await page.reload()
  await byId(page, 'identity').waitFor()
  await byId(page, 'level').waitFor()
  await page.waitForTimeout(400)
  await draw(page, view, '3-lobby')
}

const drawCall = async (page: Page, view: View, room: MockRoom): Promise<void> => {
  await byId(page, 'join').click()
  await byId(page, 'main-video').waitFor()
  await page.waitForTimeout(4_500)
  await draw(page, view, '4-call')
  await byId(page, 'chat').click()
  await byId(page, 'chat-input').fill('Mường Nhé nghe rõ, xin cảm ơn chủ tọa.')
  await byId(page, 'chat-send').click()
  await page.waitForTimeout(400)
  await draw(page, view, '5-chat')
  await byId(page, 'panel-close').click()
  await byId(page, 'people').click()
  await byId(page, 'person').nth(8).waitFor()
  if (view.name.startsWith('desktop')) {
    await byId(page, 'person-actions').nth(1).click()
    await draw(page, view, '6-people')
    await byId(page, 'kick').click()
    await draw(page, view, '6b-kick')
    await byId(page, 'confirm-no').click()
  } else await draw(page, view, '6-people')
  await byId(page, 'panel-close').click()
  for (const panel of ['statistics', 'settings', 'help']) {
    await byId(page, 'more').click()
    await byId(page, `open-${panel}`).click()
    await page.waitForTimeout(panel === 'statistics' ? 3_500 : 300)
    await draw(page, view, `7-${panel}`)
    await byId(page, 'panel-close').click()
  }
  await byId(page, 'hand').click()
  await page.waitForTimeout(300)
  await byId(page, 'more').click()
  await draw(page, view, '8-menu')
  await page.keyboard.press('Escape')
  await drawRelay(page, view, room)
  room.cut(true)
  await byId(page, 'banner').waitFor()
  await page.waitForTimeout(2_500)
  await draw(page, view, '9-banner')
  room.cut(false)
  await byId(page, 'reconnect-now').click()
  await byId(page, 'banner').waitFor({ state: 'detached' })
  await byId(page, 'leave').click()
  await byId(page, 'ended').waitFor()
  await draw(page, view, '10-ended')
}

/** One poll that waits, one that is over, and the chair's form. */
const drawPolls = async (page: Page, view: View, room: MockRoom): Promise<void> => {
  const over = {
    ...{
      poll: 'na-1',
      question: 'Chuyển tuyến trong đêm nay?',
      options: ['Đồng ý', 'Không đồng ý'],
    },
    ...{ counts: [41, 17], closed: true },
  }
  const waiting = {
    ...{ poll: 'na-2', question: 'Tuần sau hội chẩn về chủ đề nào?', closed: false },
    options: ['Sốt xuất huyết', 'Tăng huyết áp ở người cao tuổi', 'Cấp cứu sản khoa'],
    counts: [52, 31, 12],
  }
  room.broadcast({ type: 'room', revision: 910, polls: { set: [over, waiting], remove: [] } })
  await byId(page, 'poll-banner').waitFor()
  await page.waitForTimeout(7_500)
  await draw(page, view, '8d-poll-banner')
  await byId(page, 'poll-answer').click()
  await byId(page, 'poll-option').nth(1).click()
  await page.waitForTimeout(400)
  await draw(page, view, '8e-polls')
  if (view.name.startsWith('desktop')) {
    await byId(page, 'poll-new').click()
    await byId(page, 'poll-question').fill('Mổ ngay hay theo dõi thêm?')
    await byId(page, 'poll-more').click()
    await draw(page, view, '8f-new-poll')
  }
  await byId(page, 'panel-close').click()
}

/** On a relay: a narrow link, an emergency, an island. */
const drawRelay = async (page: Page, view: View, room: MockRoom): Promise<void> => {
  const link = {
    type: 'upstream',
    ...{ rateBps: 240_000, lossRatio: 0.08, rttMs: 620, forMs: 754_000 },
    ...{ node: 'Mường Nhé', upstream: 'Sở Y tế Điện Biên' },
  }
  room.broadcast({ ...link, state: 'connected', mark: 'amber' })
  room.broadcast({ type: 'room', revision: 900, emergency: true })
  await byId(page, 'relay').click()
  await byId(page, 'link-above').waitFor()
  await page.waitForTimeout(300)
  await draw(page, view, '8a-relay')
  await byId(page, 'panel-close').click()
  await drawPolls(page, view, room)
  if (view.name.startsWith('desktop')) {
    room.broadcast({ type: 'room', revision: 920, emergency: false })
    await byId(page, 'people').click()
    await byId(page, 'emergency').click()
    await byId(page, 'confirm').waitFor()
    await draw(page, view, '8b-emergency')
    await byId(page, 'confirm-no').click()
    await byId(page, 'panel-close').click()
  }
  room.broadcast({ ...link, state: 'island', mark: 'red' })
  await byId(page, 'island-banner').waitFor()
  await page.waitForTimeout(7_500)
  await draw(page, view, '8c-island')
}

const run = async (): Promise<void> => {
  await mkdir(folder, { recursive: true })
  const profile = await mkdtemp(join(tmpdir(), 'nhipcau-chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: requireChromium(),
    args: [...chromiumFlags(), '--host-resolver-rules=MAP nhipcau.test 127.0.0.1'],
    headless: true,
  })
  const answerer = await context.newPage()
  const room = await startMockRoom((offer) => answerer.evaluate(answerOffer, offer))
  await answerer.goto(`http://127.0.0.1:${room.port}/empty`)
  const only = process.argv[3]
  try {
    for (const view of VIEWS.filter(({ name }) => only === undefined || name === only)) {
      const page = await openPage(context, view)
      await drawDoors(page, view, room)
      await drawCall(page, view, room)
      await page.close()
    }
  } finally {
    await context.close()
    room.close()
    await rm(profile, { recursive: true, force: true })
  }
  process.stdout.write(`${problems.join('\n')}\n`)
  process.stdout.write(`${problems.length} problems; pictures in ${folder}\n`)
}

await run()
