/**
 * Where adversaries meet our server: a real core, a steady call on it, its counters, and what is
 * there before and after. Not an adversary itself: those are in the tests.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { createLoadContext, type LoadContext } from '../../../bench/site/load-context.ts'
import type { SitePlan } from '../../../bench/site/offer.ts'
import type { Site, SiteOptions } from '../../../bench/site/site.ts'
import type { Fingerprint } from '../../../core/media/control.ts'
import { issueToken, loadTokenKeys, type TokenKeys } from '../../../signaling/auth/index.ts'
import { type CoreOptions, type CoreProcess, startCore } from '../core-process.ts'
import { Sounder } from './sounder.ts'
import { joinTicking, SteadyCall } from './steady-call.ts'
import { type HandmadePeer, joinByHand, Stranger } from './stranger.ts'

const DROPPED = 'nhipcau_media_dropped_total'
const COUNTERS_MS = 20_000
const BASELINE_MS = 40_000
const POLL_MS = 100

type Role = 'chair' | 'speaker' | 'viewer' | 'observer' | 'admin'
type TokenWish = { room?: string; role?: Role; site?: string; name?: string; ttlS?: number }

/** Series by name with labels, as they stand in the exposition. */
export type Series = Map<string, number>

export class Arena {
  readonly core: CoreProcess
  readonly keys: TokenKeys
  readonly context: LoadContext
  readonly call: SteadyCall
  readonly #sounder: Sounder
  readonly #cleanups: (() => unknown)[]
  #baseline: Series = new Map()

  private constructor(parts: {
    core: CoreProcess
    keys: TokenKeys
    context: LoadContext
    call: SteadyCall
    sounder: Sounder
    cleanups: (() => unknown)[]
  }) {
    this.core = parts.core
    this.keys = parts.keys
    this.context = parts.context
    this.call = parts.call
    this.#sounder = parts.sounder
    this.#cleanups = parts.cleanups
  }

  /** A core of its own with the call running; `close` when done. */
  static async open(options: CoreOptions = {}): Promise<Arena> {
    const cleanups: (() => unknown)[] = []
    try {
      return await Arena.#furnish(options, cleanups)
    } catch (error) {
      for (const cleanup of cleanups) await cleanup()
      throw error
    }
  }

  static async #furnish(options: CoreOptions, cleanups: (() => unknown)[]): Promise<Arena> {
    // Lives as long as a file's tests, so its teardown is ours to run.
    const life = { teardown: (fn: () => unknown) => cleanups.push(fn) }
    const env = { NHIPCAU_ANNOUNCED_IPS: '127.0.0.1', ...options.env }
    const core = await startCore(life as unknown as ExecutionContext, { ...options, env })
    const keys = loadTokenKeys(core.dataDir)
    const context = await createLoadContext()
    const token = (role: Role) => tokenFor(keys, { role, room: 'call' })
    const doorUrl = doorUrlOf(core)
    const tokens = { speaker: await token('speaker'), viewer: await token('viewer') }
    const call = await SteadyCall.start(context, doorUrl, tokens)
    const sounder = await Sounder.open(core.mediaPort)
    const arena = new Arena({ core, keys, context, call, sounder, cleanups })
    // One snapshot of the workers later, the gauges tell of the call.
    arena.#baseline = await arena.until(
      (now) =>
        ['transports', 'tuples'].every((name) => now.get(mediaGauge(name)) === 2) &&
        now.get(mediaGauge('half_open_transports')) === 0 &&
        now.get('nhipcau_dtls_established') === 2,
    )
    return arena
  }

  get doorUrl(): string {
    return doorUrlOf(this.core)
  }

  token(wish: TokenWish = {}): Promise<string> {
    return tokenFor(this.keys, wish)
  }

  /**
   * A site that joins honestly, in room `attack` unless its token says otherwise; leaves with the
   * test.
   */
  async join(
    t: ExecutionContext<unknown>,
    plans: readonly SitePlan[],
    how: { token?: string; onMedia?: SiteOptions['onMedia']; transportWide?: boolean } = {},
  ): Promise<Site> {
    const { site, leave } = await joinTicking(this.context, {
      doorUrl: this.doorUrl,
      token: how.token ?? (await this.token()),
      plans,
      transportWide: how.transportWide ?? false,
      onMedia: how.onMedia ?? (() => undefined),
    })
    t.teardown(leave)
    return site
  }

  /** A socket that nobody vouches for; closed with the test. */
  async stranger(
    t: ExecutionContext<unknown>,
    from: { address?: string; port?: number } = {},
  ): Promise<Stranger> {
    const stranger = await Stranger.open(this.core.mediaPort, from)
    t.teardown(() => stranger.close())
    return stranger
  }

  /** A peer with a seat and an answer, whose ICE and DTLS are the test's; leaves with the test. */
  async handmade(
    t: ExecutionContext<unknown>,
    how: { token?: string; fingerprint?: Fingerprint } = {},
  ): Promise<HandmadePeer> {
    const peer = await joinByHand({
      doorUrl: this.doorUrl,
      token: how.token ?? (await this.token()),
      mediaPort: this.core.mediaPort,
      sounder: this.#sounder,
      fingerprint: how.fingerprint ?? this.context.dtlsIdentity.fingerprint,
    })
    t.teardown(() => peer.close())
    return peer
  }

  /** Resolves when the server has read what was sent to its media port before. */
  read(): Promise<void> {
    const { answer, ice } = this.call.viewer
    return this.#sounder.sound(answer, ice)
  }

  /**
   * Sends `count` datagrams in bursts, each when the server has read the one before, so that only
   * the server's own bounds drop them, not the kernel's buffer. Resolves when all are read.
   */
  async paced(count: number, send: (index: number) => void, burst = 100): Promise<void> {
    for (let index = 0; index < count; index++) {
      send(index)
      if (index % burst === burst - 1) await this.read()
    }
    await this.read()
  }

  /** The series once they are as wanted, or as they are after twenty seconds. */
  async until(isSo: (now: Series) => boolean, withinMs = COUNTERS_MS): Promise<Series> {
    const endMs = performance.now() + withinMs
    for (;;) {
      const now = await this.series()
      if (isSo(now) || performance.now() > endMs) return now
      await sleep(POLL_MS)
    }
  }

  /** Ends everybody in a room, as an operator does; a closed or unknown one is left alone. */
  async closeRoom(room: string): Promise<void> {
    const token = await this.token({ role: 'admin', room: '*' })
    const headers = { authorization: `Bearer ${token}` }
    const url = `${this.core.url}/api/v1/rooms/${encodeURIComponent(room)}`
    await fetch(url, { method: 'DELETE', headers })
  }

  /** All series of /metrics now; those of the workers are up to a second old. */
  async series(): Promise<Series> {
    const response = await fetch(`${this.core.url}/metrics`)
    const series: Series = new Map()
    for (const line of (await response.text()).split('\n')) {
      const cut = line.lastIndexOf(' ')
      if (cut > 0 && !line.startsWith('#')) series.set(line.slice(0, cut), Number(line.slice(cut)))
    }
    return series
  }

  /**
   * Runs an attack and proves what must be true after each: the call beside lost nothing, nothing
   * crashed, no bug was contained, joins are answered, and each named drop reason (or sum of some,
   * joined by `+`) grew by at least the given count.
   */
  async attack(
    t: ExecutionContext<unknown>,
    drops: Readonly<Record<string, number>>,
    act: () => Promise<void>,
  ): Promise<Series> {
    const before = await this.series()
    const mark = this.call.mark()
    await act()
    const verdict = await this.call.verdict(mark)
    t.is(verdict.missing, 0, 'numbers missing in the call beside')
    t.is(verdict.late, 0, 'packets of the call beside that never arrived')
    t.true(verdict.audioSent >= 12 && verdict.videoSent > 3, 'the call beside went on')
    const grown = await this.#grown(before, drops)
    for (const [reason, count] of Object.entries(drops)) {
      t.true(sumOf(grown, reason) >= count, `${reason}: ${sumOf(grown, reason)} of ${count}`)
    }
    t.is(this.core.process.exitCode, null, 'the core lives')
    t.deepEqual(this.#faults(), [], 'no bug had to be contained')
    await this.assertJoinable(t)
    return grown
  }

  /** A newcomer joins, up to media. */
  async assertJoinable(t: ExecutionContext<unknown>): Promise<void> {
    const { site, leave } = await joinTicking(this.context, {
      doorUrl: this.doorUrl,
      token: await this.token({ room: 'newcomers', role: 'viewer' }),
      plans: [{ use: 'audio' }],
      transportWide: false,
      onMedia: () => undefined,
    })
    t.true(site.link.times.connectedMs > 0)
    await leave()
  }

  /** Everything that an attack had opened is closed again; memory is bounded. */
  async assertBaseline(t: ExecutionContext<unknown>): Promise<void> {
    const gauges = ['transports', 'half_open_transports', 'tuples'].map(mediaGauge)
    gauges.push('nhipcau_dtls_half_open', 'nhipcau_dtls_established')
    const isAsBefore = (now: Series): boolean =>
      gauges.every((name) => now.get(name) === this.#baseline.get(name))
    const now = await this.until(isAsBefore, BASELINE_MS)
    for (const name of gauges) t.is(now.get(name), this.#baseline.get(name), name)
    const rssName = 'nhipcau_process_resident_memory_bytes'
    const grownMb = ((now.get(rssName) ?? 0) - (this.#baseline.get(rssName) ?? 0)) / 2 ** 20
    t.log(`memory grown by ${grownMb.toFixed(0)} MB`)
    t.true(grownMb < 200, `memory grown by ${grownMb} MB`)
    const statistics = await fetch(`${this.core.url}/api/v1/statistics`, {
      headers: { authorization: `Bearer ${await this.token({ role: 'admin', room: '*' })}` },
    })
    t.like(await statistics.json(), { participants: 2, sockets: 2, transports: 2 })
  }

  async close(): Promise<void> {
    this.call.close()
    this.#sounder.close()
    for (const cleanup of this.#cleanups) await cleanup()
  }

  /** Named drops since `before`, when all wanted counts are reached or time is up. */
  async #grown(before: Series, wanted: Readonly<Record<string, number>>): Promise<Series> {
    const growth = (now: Series): Series => {
      const grown: Series = new Map()
      for (const [name, value] of now) {
        const reason = name.startsWith(DROPPED) ? name.slice(DROPPED.length + 9, -2) : name
        grown.set(reason, value - (before.get(name) ?? 0))
      }
      return grown
    }
    const isDone = (now: Series): boolean => {
      const grown = growth(now)
      return Object.entries(wanted).every(([names, count]) => sumOf(grown, names) >= count)
    }
    return growth(await this.until(isDone))
  }

  #faults(): unknown[] {
    return this.core.log.filter(({ level }) => Number(level) >= 50)
  }
}

const mediaGauge = (name: string): string => `nhipcau_media_${name}{worker="0"}`

function doorUrlOf(core: CoreProcess): string {
  return `ws://127.0.0.1:${core.httpPort}/ws`
}

function tokenFor(keys: TokenKeys, wish: TokenWish): Promise<string> {
  const { room = 'attack', role = 'speaker', site = 'Mường Nhé', name = role, ttlS = 3_600 } = wish
  return issueToken(keys, { room, role, site, name, ttlS, nowMs: Date.now() })
}

/** Growth of one series, or of several whose names are joined by `+`. */
function sumOf(grown: Series, names: string): number {
  return names.split('+').reduce((sum, name) => sum + (grown.get(name) ?? 0), 0)
}
