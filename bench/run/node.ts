/**
 * A node as the runner sees it, whatever its kind: the seam to bench/rival, and to relays. The runner starts it,
 * waits for it, samples its processes, does to it what the timetable says, and ends it. Types only.
 */
import type { NodeReport } from '../report/report.ts'
import type { Leftover } from './ledger.ts'

/** What a node is started with. */
export type NodeStart = {
  id: string
  /** Empty, its own, removed after the run. */
  folder: string
  /** Cores that it may use; empty: all. */
  cores: readonly number[]
  /** Added to the environment of every process it starts; holds the mark by which leftovers are found. */
  env: Readonly<Record<string, string>>
  /** Standard error, and standard output that is not JSON, goes to this file. */
  logFile: string
  /** Called BEFORE a mount, namespace or folder is made, so that it is removed even when the runner is killed. */
  track: (leftover: Leftover) => void
}

/** A node that takes joins. */
export type RunningNode = {
  id: string
  kind: NodeReport['kind']
  /** Its processes now; changes with a restart. `id` is this node's, or starts with it. */
  processes: () => { id: string; pid: number }[]
  /** `ws://host:port/ws`. */
  doorUrl: string
  /** `http://host:port`. */
  pageUrl: string
  /** Where media goes; a link in front of it needs it. */
  media: { address: string; port: number }
  /** Where relays below send their media; undefined where there can be none. */
  trunk?: { address: string; port: number }
  /** A code with which a relay of this name may hang on it, once; rejects with why there is none. */
  enrol?: (name: string) => Promise<string>
  /** Data directory with the keys that sign tokens. */
  dataDir: string
  /** Prometheus text; undefined where there is none. */
  metricsUrl: string | undefined
  /** In front of the command line of load processes (`ip netns exec NAME`). */
  loadPrefix?: readonly string[]
  /** Another script that speaks bench/load/protocol.ts instead of LOAD_PROCESS. */
  loadScript?: string
  /** Sends it to all its processes. */
  signal: (name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM') => void
  /** Starts it again after its end: same folder, same ports; resolves when it takes joins. */
  restart: () => Promise<void>
  /** Gracefully, at most 5 s, then by force; idempotent. */
  stop: () => Promise<void>
}
