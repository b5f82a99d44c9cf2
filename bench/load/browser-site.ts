/**
 * A site that is a headless Chromium with the real page: comes in by a join link as invited people
 * do, and tells what its own getStats says. A few at a time: each decodes for real. Needs Chromium
 * and playwright-core (a development dependency).
 */
import type { Browser, BrowserContext, BrowserServer, Page } from 'playwright-core'
import { chromiumFlags, requireChromium } from '../process/chromium.ts'
import { whyOf } from '../site/figures.ts'
import type { PlayerTotals } from '../site/index.ts'
import { type Detour, readPage, tapPage } from './browser-page.ts'
import { type BrowserReading, browserFigures, layerOfWidth, readStats } from './browser-stats.ts'
import type { Member, MemberMaker, MemberOutcome, MemberReport, MemberSpec } from './member.ts'
import type { LoadGroup } from './protocol.ts'
import { addTotals, newTotals } from './totals.ts'

const STEP_MS_MAX = 30_000
const POLL_MS = 50
/** Between two looks at the statistics. */
const LOOK_MS = 900

class BrowserSite implements Member {
  readonly poll = undefined
  readonly id: string
  state: Member['state'] = 'idle'
  readonly #spec: MemberSpec
  readonly #browser: Browser
  readonly #widths: readonly number[]
  #context: BrowserContext | undefined
  #page: Page | undefined
  #last: MemberOutcome | undefined
  #reading: BrowserReading | undefined
  /** Of connections before the present one. */
  readonly #former = newTotals()
  #connectedMs = 0
  #lookedMs = 0
  #looking = false
  #frozenLongestMs = 0
  readonly #faults: string[] = []

  constructor(spec: MemberSpec, browser: Browser, widths: readonly number[]) {
    this.id = spec.id
    this.#spec = spec
    this.#browser = browser
    this.#widths = widths
  }

  get layerNow(): number {
    return layerOfWidth(this.#reading?.widthPx ?? 0, this.#widths)
  }

  async join(): Promise<MemberOutcome> {
    this.state = 'joining'
    let step = 'page'
    try {
      const page = await this.#openPage()
      const startMs = performance.now()
      const { pageUrl } = this.#spec.route
      await page.goto(`${pageUrl}/r/${this.#spec.room}#token=${this.#spec.token}`)
      const button = page.locator(`[data-testid="${this.#wayIn}"]:enabled`)
      await button.waitFor({ timeout: STEP_MS_MAX })
      const pageMs = performance.now() - startMs
      step = 'join'
      await button.click()
      await page.locator('[data-testid="call"]').waitFor({ timeout: STEP_MS_MAX })
      const callMs = performance.now() - startMs
      step = 'media'
      await connected(page)
      this.#connectedMs = performance.now()
      const joinMs = this.#connectedMs - startMs
      this.state = 'joined'
      const steps = { pageMs, callMs: callMs - pageMs, mediaMs: joinMs - callMs }
      this.#last = { joined: true, joinMs, steps }
    } catch (error) {
      await this.#close()
      this.state = 'failed'
      const whyFailed = firstLine(error)
      this.#last = { joined: false, failedAt: step, whyFailed }
    }
    return this.#last
  }

  comeBack(): Promise<MemberOutcome> {
    return this.join()
  }

  async leave(): Promise<void> {
    this.state = 'idle'
    await this.#close()
  }

  drop(): void {
    this.state = 'idle'
    void this.#close()
  }

  speak(): void {
    // The fake microphone beeps by itself.
  }

  async raiseHand(): Promise<void> {
    throw new Error('browser sites join and stay')
  }

  async chat(): Promise<void> {
    throw new Error('browser sites join and stay')
  }

  async ask(): Promise<void> {
    throw new Error('browser sites join and stay')
  }

  linkHealed(): void {
    // Seen in its freezes: a browser does not say when its sound came back.
  }

  /** Tells what the last look has found, and looks again. */
  totals(into: PlayerTotals): PlayerTotals {
    void this.#look()
    Object.assign(into, newTotals())
    addTotals(into, this.#former)
    if (this.#reading !== undefined) addTotals(into, this.#reading.totals)
    return into
  }

  report(): MemberReport {
    const last = this.#last
    const figures = this.#figures()
    const why = [...whyOf(figures), ...this.#faults.map((fault) => `page: ${fault}`)]
    if (last === undefined) return { joined: false, figures, why: ['never joined', ...why] }
    if (last.joined) {
      const { joinMs, steps } = last
      return { joined: true, joinMs, steps, figures, why }
    }
    const { failedAt, whyFailed } = last
    why.unshift(`${failedAt}: ${whyFailed}`)
    return { joined: false, failedAt, whyFailed, figures, why }
  }

  /** A viewer has one button; who could publish and should not listens only. */
  get #wayIn(): 'join' | 'listen' {
    const { role, publishes } = this.#spec.group
    const couldPublish = role === 'speaker' || role === 'chair'
    return couldPublish && publishes === undefined ? 'listen' : 'join'
  }

  async #openPage(): Promise<Page> {
    await this.#close()
    const { main } = this.#spec.group.watches ?? {}
    const viewport = { width: main?.widthPx ?? 1280, height: main?.heightPx ?? 720 }
    const permissions = ['camera', 'microphone']
    this.#context = await this.#browser.newContext({ viewport, permissions, locale: 'vi-VN' })
    const page = await this.#context.newPage()
    page.on('pageerror', (error) => {
      if (this.#faults.length < 5) this.#faults.push(firstLine(error))
    })
    await page.addInitScript<Detour | null>(tapPage, this.#spec.route.mediaVia ?? null)
    this.#page = page
    return page
  }

  async #close(): Promise<void> {
    if (this.#reading !== undefined) addTotals(this.#former, this.#reading.totals)
    this.#reading = undefined
    const context = this.#context
    this.#context = undefined
    this.#page = undefined
    await context?.close().catch(() => undefined)
  }

  async #look(): Promise<void> {
    const page = this.#page
    const nowMs = performance.now()
    if (page === undefined || this.#looking || nowMs - this.#lookedMs < LOOK_MS) return
    this.#looking = true
    this.#lookedMs = nowMs
    const seen = await page.evaluate(readPage).catch(() => undefined)
    this.#looking = false
    if (seen === undefined || page !== this.#page || this.state === 'joining') return
    const isUp = seen.state === 'connected'
    if (isUp !== (this.state === 'joined')) {
      this.state = isUp ? 'joined' : 'away'
      this.#spec.onEvent(isUp ? 'media is back' : `media is ${seen.state}`)
    }
    const reading = readStats(seen.entries, nowMs - this.#connectedMs)
    this.#keep(reading)
  }

  /** A new connection of the same page counts from zero again. */
  #keep(reading: BrowserReading): void {
    const before = this.#reading?.totals
    const isNew = before !== undefined && reading.totals.receivedBytes < before.receivedBytes
    if (isNew) addTotals(this.#former, before)
    else {
      const grownMs = reading.totals.frozenMs - (before?.frozenMs ?? 0)
      this.#frozenLongestMs = Math.max(this.#frozenLongestMs, grownMs)
    }
    this.#reading = reading
  }

  #figures(): Record<string, number> {
    const reading = this.#reading
    if (reading === undefined) return {}
    return browserFigures(reading, this.#frozenLongestMs)
  }
}

async function connected(page: Page): Promise<void> {
  const endMs = performance.now() + STEP_MS_MAX
  let state = 'none'
  while (performance.now() < endMs) {
    state = await page.evaluate(() => window.benchConnections.at(-1)?.connectionState ?? 'none')
    if (state === 'connected') return
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`media is ${state} after ${STEP_MS_MAX / 1000} s`)
}

const firstLine = (error: unknown): string =>
  String(error instanceof Error ? error.message : error).split('\n')[0] ?? ''

/** Widths that the page sends its camera in, when nobody else's are known. */
const PAGE_WIDTHS = [320, 640, 1280]

/**
 * One Chromium for all browser sites of the process, started at once when the plan (`groups`) has
 * any: loading it takes seconds, which are none of the sites'. Rejects when there is no Chromium.
 */
export async function browserMaker(groups: readonly LoadGroup[]): Promise<MemberMaker> {
  const layers = groups.flatMap(({ publishes }) => publishes?.video?.layers ?? [])
  const known = [...new Set(layers.map(({ widthPx }) => widthPx))].sort((a, b) => a - b)
  const widths = known.length === 0 ? PAGE_WIDTHS : known
  const routes = groups.filter(({ kind }) => kind === 'browser').flatMap((group) => group.routes)
  // Camera and microphone exist on secure origins only; plain http counts as secure on localhost
  // alone.
  const origins = [...new Set(routes.flatMap(({ pageUrl }) => pageUrl ?? []))]
  const server = routes.length === 0 ? undefined : await launch(origins)
  const browser = server === undefined ? undefined : await connect(server)
  return {
    create: (spec) => new BrowserSite(spec, browser as Browser, widths),
    processes: () =>
      [server?.process().pid].flatMap((pid) => (pid ? [{ id: 'chromium', pid }] : [])),
    close: async () => await server?.close(),
  }
}

async function launch(origins: readonly string[]): Promise<BrowserServer> {
  const { chromium } = await playwright()
  return await chromium.launchServer({
    executablePath: requireChromium(),
    headless: true,
    args: chromiumFlags({ secureOrigins: origins, loopbackMedia: true }),
    handleSIGINT: false,
    handleSIGTERM: false,
  })
}

async function connect(server: BrowserServer): Promise<Browser> {
  const { chromium } = await playwright()
  return await chromium.connect(server.wsEndpoint())
}

async function playwright(): Promise<typeof import('playwright-core')> {
  return await import('playwright-core').catch(() => {
    throw new Error('browser sites need playwright-core: npm ci with development dependencies')
  })
}
