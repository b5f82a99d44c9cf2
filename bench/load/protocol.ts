/**
 * What the load process is told (JSON lines on standard input) and what it says (JSON lines on
 * standard output); the seam between bench/load and bench/run. Types only: check-setup.ts checks them,
 * load-run.ts plays them.
 *
 *   runner                      load process
 *   {op: setup, ...}        ->
 *                           <-  {event: ready}, or {event: error, error}: nothing was started
 *   {op: start, ...}        ->
 *                           <-  {event: progress, ...}   every second
 *                           <-  {event: happened, ...}   phases and behaviours
 *                           <-  {event: hosts, ...}      a process that it has started
 *   {op: mark, ...}         ->
 *   {op: stop}              ->  or the plan is over, SIGTERM, the end of standard input
 *                           <-  {event: result, ...}     then the process ends with 0
 *
 * Times `atS` are seconds since `startedAtMs`, which all processes of a run share. A run may have
 * several load processes; their results are put together by `mergeLoadResults` (merge.ts),
 * histograms merged and never averaged.
 */
import type { SeriesReport, SiteReport } from '../report/report.ts'

export type LoadCommand = LoadSetup | LoadStart | LoadMark | LoadStop

/** First line. */
export type LoadSetup = {
  op: 'setup'
  /** Everything that chance decides comes from it. */
  seed: number
  room: string
  /** Data directory of the core: each site's token is signed with its keys. */
  dataDir: string
  /** The result comes at this time by itself. */
  durationS: number
  groups: LoadGroup[]
  /** Pages under autocannon. */
  http?: HttpLoad[]
  /** Sites of several load processes of a run are numbered on; default 1. */
  firstNumber?: number
  /**
   * How late this process may be itself with all in, p99, before the run is void; ten times that
   * while sites join. Default 25.
   */
  ownLatenessMsMax?: number
  /** How far this process steps back behind others on its core, 0..19; default 0. */
  niceness?: number
}

/** Sites of one kind that do the same. */
export type LoadGroup = {
  id: string
  /**
   * `signalling` joins by WebSocket without media; `browser` is headless Chromium with the real
   * page.
   */
  kind: SiteReport['kind']
  count: number
  /** Default: speaker when it publishes, else viewer. */
  role?: 'chair' | 'speaker' | 'viewer' | 'observer'
  /** Default: the plan's. */
  room?: string
  /** Id of the node that it joins, for the report. */
  node: string
  /** Where its sites come in; more than one: sites are dealt out by share. */
  routes: LoadRoute[]
  publishes?: LoadPublishes
  watches?: LoadWatches
  /**
   * One packet in so many is decrypted and checked; the rest is counted by header. Default 61; 1 =
   * every one.
   */
  checkEvery?: number
  /** Negotiate transport-wide feedback (and send it); default false: receiver reports. */
  transportWide?: boolean
  join: JoinPlan
  behaviours?: Behaviour[]
}

/** One way in. Sites behind an emulated link go through it with everything. */
export type LoadRoute = {
  /** Weight among the group's routes; default 1. */
  share?: number
  /** Id of the link, for the report and for marks. */
  link?: string
  /** `ws://host:port/ws`: of the node, or of the link's TCP mapping in front of it. */
  doorUrl: string
  /**
   * Instead of the answer's candidates: the link's UDP mapping in front of the node's media port.
   */
  mediaVia?: { address: string; port: number }
  /**
   * Browser sites: `http://localhost:port`, the page's origin (through the link's TCP mapping, when
   * there is one).
   */
  pageUrl?: string
}

export type LoadPublishes = {
  /** Opus, 50 packets a second of so many bytes of payload; default 80. */
  audio?: { payloadBytes?: number }
  /** VP8. Layers lowest picture first; more than one is simulcast. */
  video?: {
    framesPerSecond: number
    /** Three temporal layers. */
    temporal?: boolean
    layers: { bitrateBps: number; widthPx: number; heightPx: number }[]
  }
}

export type LoadWatches = {
  /** Audio slots, 0..8; default 1. */
  audio?: number
  /** The main picture's size, when it is watched. */
  main?: { widthPx: number; heightPx: number }
  /** Tiles, 0..24, of one size. */
  tiles?: { count: number; widthPx: number; heightPx: number }
}

/** How a group comes in, from `atS`. */
export type JoinPlan =
  /** As fast as they come; at most `parallel` joins under way (default: all at once). */
  | { how: 'storm'; atS: number; parallel?: number }
  /** At an even rate. */
  | { how: 'paced'; atS: number; perSecond: number }

/** What sites do besides; times in seconds, `untilS` defaults to the end. */
export type Behaviour =
  /** The group's publishers take turns: one is loud, the others murmur. */
  | { do: 'speaker-changes'; fromS: number; untilS?: number; everyS: number }
  /** Hands go up and come down again after `everyS`; `share` 0..1 of the sites take part. */
  | { do: 'hands'; fromS: number; untilS?: number; everyS: number; share: number }
  /** Chat lines, so many a second by the whole group. */
  | { do: 'chat'; fromS: number; untilS?: number; perSecond: number }
  /** The first of the group that is in, a chair, marks its room as an emergency, until `untilS`. */
  | { do: 'emergency'; fromS: number; untilS?: number }
  /** The first of the group that is in, a chair, asks the room, and closes the poll at `untilS`. */
  | { do: 'poll'; fromS: number; untilS?: number }
  /** Each votes in the poll that is open, at a random moment of `withinS`. */
  | { do: 'vote'; fromS: number; withinS: number }
  /**
   * Every `everyS` a `share` of the sites leaves and comes back after `awayS`. `abrupt`: without a
   * word.
   */
  | {
      do: 'come-and-go'
      fromS: number
      untilS?: number
      everyS: number
      awayS: number
      share: number
      abrupt?: boolean
    }
  /**
   * Whoever loses the door comes back, at a random moment of the next `withinS`, and tries until it
   * is in.
   */
  | { do: 'reconnect'; withinS: number }

export type HttpLoad = {
  id: string
  url: string
  connections: number
  fromS: number
  untilS: number
  /** Requests a second in all; default: as many as there come. */
  perSecond?: number
}

/** Plays begin; `startedAtMs` is Unix time, the run's zero. */
export type LoadStart = { op: 'start'; startedAtMs: number }

/**
 * Something happened outside. `down` opens an outage, `up` closes it: from there the time is taken
 * until each site that it concerns hears and sees again: those behind `link` and those at `nodes`; without both, all.
 */
export type LoadMark = { op: 'mark'; what: 'down' | 'up'; link?: string; nodes?: readonly string[] }

export type LoadStop = { op: 'stop' }

export type LoadMessage =
  | LoadReady
  | LoadError
  | LoadProgress
  | LoadHappened
  | LoadHosts
  | LoadResult

export type LoadReady = { event: 'ready' }

/** The setup was refused (`error` names group and key), or the process came to its end. */
export type LoadError = { event: 'error'; error: string }

export type LoadProgress = {
  event: 'progress'
  atS: number
  /** `joining` while some are still expected, then `steady`; `idle` before the first. */
  phase: 'idle' | 'joining' | 'steady' | 'ending'
  /** Sites of the whole plan; in now; failed to join in their last attempt. */
  planned: number
  joined: number
  failed: number
  /** Over the last second. */
  lossRatio: number
  receivedBps: number
  sentBps: number
  packetsPerSecond: number
  audioLatencyP99Ms: number
  /** This process: its longest tick lateness and its share of a core over the last second. */
  latenessMaxMs: number
  cpuShare: number
  leftS: number
}

/** A process that the load has started (Chromium): to be sampled, and gone with the load. */
export type LoadHosts = { event: 'hosts'; id: string; pid: number; role: 'browser' }

export type LoadHappened = { event: 'happened'; atS: number; what: string }

export type LoadResult = {
  event: 'result'
  /** False: stopped early. */
  completed: boolean
  sites: SiteReport[]
  /** As RunReport.figures; docs/BENCH.md lists them. */
  figures: Record<string, number>
  /**
   * As RunReport.histograms: `latency.audio`, `latency.video`, `join`, `resync.audio`, ... and
   * `group.<id>.` of each.
   */
  histograms: Record<string, string>
  /** As RunReport.layers; null where a site was not in. */
  layers: { atS: number[]; rows: { site: string; layer: number[] }[] }
  series: SeriesReport[]
  /**
   * Sums behind the ratios of `figures`, so that results of several processes can be put together.
   */
  sums: Record<string, number>
  /** Not valid: this process was itself too slow, and the run is void. */
  validity: { valid: boolean; reasons: string[] }
}
