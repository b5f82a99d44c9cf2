/**
 * A person at the page: comes in by demo or token, and can be asked what the browser really decodes and what crosses
 * the WebSocket. Reads getStats itself: the page's own figures are not believed.
 */

import { unpack } from 'msgpackr'
import type { BrowserContext, Page } from 'playwright-core'
import { eventually } from './browser.ts'
import type { CoreProcess } from './core-process.ts'

declare global {
  interface Window {
    tappedConnections: RTCPeerConnection[]
    tappedSockets: WebSocket[]
  }
}

/** Runs before the page's own code: keeps the connections that it makes. */
const tap = (): void => {
  window.tappedConnections = []
  window.tappedSockets = []
  const Connection = window.RTCPeerConnection
  window.RTCPeerConnection = class extends Connection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration)
      window.tappedConnections.push(this)
    }
  }
  const Socket = window.WebSocket
  window.WebSocket = class extends Socket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols)
      window.tappedSockets.push(this)
    }
  }
}

export type WireMessage = Record<string, unknown> & { type: string }

export type Person = {
  page: Page
  /** Messages on all WebSockets of the page so far, decoded. */
  sent: WireMessage[]
  received: WireMessage[]
  /** Errors of the page's scripts; a test that is done expects none. */
  faults: string[]
  byId: (id: string) => ReturnType<Page['locator']>
}

export async function openPerson(context: BrowserContext): Promise<Person> {
  const page = await context.newPage()
  const person: Person = {
    page,
    sent: [],
    received: [],
    faults: [],
    byId: (id) => page.locator(`[data-testid="${id}"]`),
  }
  page.on('pageerror', (error) => person.faults.push(String(error.stack)))
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => person.sent.push(decode(payload)))
    socket.on('framereceived', ({ payload }) => person.received.push(decode(payload)))
  })
  await page.addInitScript(tap)
  return person
}

const decode = (payload: string | Buffer): WireMessage =>
  typeof payload === 'string' ? JSON.parse(payload) : unpack(payload)

export type Entry = { name: string; role?: string; language?: string; listen?: boolean }

/** Joins room `demo` of a core on this machine as a stranger would: name, role, button. */
export async function joinDemo(person: Person, url: string, entry: Entry): Promise<void> {
  await person.page.goto(`${url}/?lang=${entry.language ?? 'vi'}`)
  await person.byId('demo-name').fill(entry.name)
  if (entry.role !== undefined) await person.byId('demo-role').selectOption(entry.role)
  await enter(person, entry.listen === true)
}

/** The link that `./nhipcau token` prints. */
export function linkFor(core: CoreProcess, claims: Parameters<CoreProcess['token']>[0]): string {
  return `${core.url}/r/${claims.room}#token=${core.token(claims)}`
}

/** Joins by a link with a token, as invited people do. */
export async function joinByLink(person: Person, link: string, listen = false): Promise<void> {
  await person.page.goto(link)
  await enter(person, listen)
}

async function enter(person: Person, listen: boolean): Promise<void> {
  await person.byId(listen ? 'listen' : 'join').click()
  await person.byId('call').waitFor()
  await eventually('media is connected', async () =>
    person.page.evaluate(() => window.tappedConnections.at(-1)?.connectionState === 'connected'),
  )
}

export type StatsEntry = Record<string, unknown> & { id: string; type: string; mid?: string }

/** Entries of one type in getStats of the page's latest peer connection. */
export function statsOf(person: Person, type: string): Promise<StatsEntry[]> {
  return person.page.evaluate(async (wanted) => {
    const entries: StatsEntry[] = []
    const report = await window.tappedConnections.at(-1)?.getStats()
    report?.forEach((entry) => {
      if (entry.type === wanted) entries.push(entry)
    })
    return entries
  }, type)
}

export type Slot = { mid: string; participant: string | null; use: string | null; state: string }

/** What the server last said about the slots. */
export function slotsOf(person: Person): Slot[] {
  const last = person.received.findLast((message) => Array.isArray(message.slots))
  return (last?.slots ?? []) as Slot[]
}

/** Mid of the section that this page offered as `main`. */
export function mainMidOf(person: Person): string {
  const offer = person.sent.findLast((message) => message.type === 'offer')
  const sections = (offer?.sections ?? []) as { mid: string; use: string }[]
  return sections.find(({ use }) => use === 'main')?.mid ?? ''
}

export const idOf = (person: Person): string =>
  String(person.received.findLast((message) => message.type === 'joined')?.participant)

/** Frames decoded so far in a section, by default the main one. */
export async function framesDecoded(person: Person, mid = mainMidOf(person)): Promise<number> {
  const entries = await statsOf(person, 'inbound-rtp')
  return Number(entries.find((entry) => entry.mid === mid)?.framesDecoded ?? 0)
}

/** Sound energy (RMS² seconds) that the page received in all its audio sections. */
export async function soundEnergy(person: Person): Promise<number> {
  const entries = await statsOf(person, 'inbound-rtp')
  return entries
    .filter((entry) => entry.kind === 'audio')
    .reduce((sum, entry) => sum + Number(entry.totalAudioEnergy ?? 0), 0)
}
