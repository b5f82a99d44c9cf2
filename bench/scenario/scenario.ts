/**
 * What a scenario says, read and checked: processes, the lines between them, sites, faults and what
 * must hold in the end. Types only: read.ts makes it of YAML, bench/run plays it. Times `atS` are
 * seconds since the run's zero, the moment when all nodes are ready. Site groups speak the language
 * of bench/load/protocol.ts.
 */
import type { LineChange, LinkSettings, ProfileName } from '../link/index.ts'
import type { Behaviour, JoinPlan, LoadPublishes, LoadWatches } from '../load/protocol.ts'
import type { Expression } from './expression.ts'

/** A whole scenario; every id that it names exists, and relays form a tree. */
export type Scenario = {
  /** Of the file, without `.yaml`. */
  name: string
  title: string
  /** Everything that chance decides comes from it. */
  seed: number
  /** Ends by itself this long after the run's zero. */
  durationS: number
  /** How often it is run; `compare` takes the runs together. */
  repeat: number
  room: string
  /** What a build or machine must offer beside a core, in words of NEEDS. */
  needs: Need[]
  placement: Placement
  /** Cores that processes outside of the run may take on average before it is void. */
  othersCoresMax: number
  /** How late the load and the lines may be themselves, p99, before it is void; ten times that while sites join. */
  ownLatenessMsMax: number
  /** Parents stand before their children. */
  nodes: NodePlan[]
  links: LinkPlan[]
  sites: SiteGroup[]
  http: HttpPlan[]
  /** Stretches of which series become figures. */
  windows: WindowPlan[]
  /** By time. */
  faults: Fault[]
  pass: Criterion[]
  /** The file's text, for the report. */
  yaml: string
}

/** `janus` follows from the kinds of nodes, `chromium` from the kinds of sites. */
export type Need = 'janus' | 'chromium'

/** A named stretch of the run. */
export type WindowPlan = { id: string; fromS: number; untilS: number }

/** Which CPU core each kind of process is pinned to; undefined: wherever the kernel likes. */
export type Placement = { nodes?: number; load?: number; links?: number }

/** One server process. */
export type NodePlan = {
  id: string
  kind: 'core' | 'relay' | 'rival'
  /** Relays: the node above, and the link to it, when there is one. */
  upstream?: string
  link?: string
  /** Settings of docs/CONFIG.md by dotted key, as `--set key=value` takes them. */
  config: Record<string, string>
  /**
   * Another build: a program or `.ts` file to run instead of `./nhipcau`, from the repository's
   * root.
   */
  program?: string
  /** Rivals only. */
  rival?: { name: 'janus'; eventLoops: number }
}

/** A line of the emulator. */
export type LinkPlan = {
  id: string
  profile: ProfileName
  /** Laid over the profile, per direction. `down` is towards the sites. */
  down: Partial<LinkSettings>
  up: Partial<LinkSettings>
  /** By time. */
  changes: LineChange[]
}

/** Sites that do the same. */
export type SiteGroup = {
  id: string
  kind: 'synthetic' | 'signalling' | 'browser'
  count: number
  role: 'chair' | 'speaker' | 'viewer' | 'observer'
  room?: string
  node: string
  /**
   * Lines in front of its sites; none: straight to the node. More than one: sites are dealt out by
   * share.
   */
  routes: { link: string; share: number }[]
  /** `site`: each site has a line of its own; `group`: all of them share one. */
  linkPer: 'site' | 'group'
  publishes?: LoadPublishes
  watches?: LoadWatches
  /** One packet in so many is decrypted and checked, the rest counted by header; 0: none. */
  checkEvery: number
  /** Send transport-wide feedback, so that the server estimates this site's line. */
  transportWide: boolean
  join: JoinPlan
  behaviours: Behaviour[]
}

/** A page under autocannon. */
export type HttpPlan = {
  id: string
  node: string
  /** `/healthz`. */
  path: string
  connections: number
  fromS: number
  untilS: number
  /** Undefined: as many as there come. */
  perSecond?: number
}

/** Something that happens to a node or a link at a time. */
export type Fault = { atS: number } & (
  | { do: NodeFault; node: string }
  | { do: LinkFault; link: string }
)

/**
 * `kill` is SIGKILL, `stop` SIGSTOP, `continue` SIGCONT, `restart` starts it again (killed first
 * when it lives).
 */
export type NodeFault = 'kill' | 'stop' | 'continue' | 'restart' | 'disk-full' | 'disk-free'

/** Both ways; one way only is a change of the link (`direction`). */
export type LinkFault = 'cut' | 'heal'

/** One thing that must hold. */
export type Criterion = { text: string; expression: Expression }
