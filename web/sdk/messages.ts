/**
 * The messages of docs/PROTOCOL.md as the client sees them: names and shapes, nothing else. Deliberately no
 * validator: the server is the one that distrusts; the client ignores what it does not know.
 */

/** What a participant can send. */
export type SourceUse = 'microphone' | 'camera' | 'screen'

/** What a participant receives: a fixed slot, whose content changes without renegotiation. */
export type SlotUse = 'audio' | 'main' | 'tile'

export type Role = 'chair' | 'speaker' | 'viewer' | 'observer'

export type StageMember = {
  participant: string
  name: string
  site: string
  role: Role
  /** A source stands here while it is live. */
  sources: { [use in SourceUse]?: { muted: boolean } }
}

export type Counts = { sites: number; stage: number; audience: number; hands: number }

export type Pin = { participant: string; use: SourceUse }

/** A question to the room. Who voted what is never told. */
export type Poll = {
  poll: string
  question: string
  options: string[]
  /** Votes by option. */
  counts: number[]
  closed: boolean
}

/** A site (whoever of it came first), or one participant. */
export type Successor = { site: string } | { participant: string }

/** One who moderates an island. */
export type ActingMember = { participant: string; name: string; site: string }

type RoomState = {
  room: string
  revision: number
  locked: boolean
  /** Goes before all other rooms on every link. */
  emergency: boolean
  pin: Pin | null
  counts: Counts
  stage: StageMember[]
  /** Participant ids in the order in which hands went up. */
  hands: string[]
  /** Oldest first. */
  polls: Poll[]
  /** Who moderates the island that one is on; empty where it is none. */
  acting: ActingMember[]
  /** Who is to moderate where a part of the tree is cut off, in order. */
  succession: Successor[]
}

export type ChatEntry = {
  number: number
  participant: string
  name: string
  site: string
  text: string
  /** Milliseconds since the epoch, by the server's clock. */
  time: number
}

export type RosterMember = {
  participant: string
  name: string
  site: string
  role: Role
  onStage: boolean
}

export type SlotState = {
  mid: string
  participant: string | null
  use: SourceUse | null
  state: 'live' | 'waiting' | 'paused' | 'empty'
}

export type QualityMark = 'green' | 'amber' | 'red'

/** How one stream fares, as the server sees it, every 2 s. */
export type ServerQuality = {
  mid: string
  direction: 'in' | 'out'
  mark: QualityMark
  reason: string
  bitrateBps: number
  lossRatio: number
  rttMs: number
  spatialLayer: number
}

type MutedState = { self: boolean; chair: boolean }

/** What the server says about this participant alone. */
export type SelfState = {
  onStage: boolean
  permitted: SourceUse[]
  muted: { [use in SourceUse]?: MutedState }
  /** What one has voted, by option. */
  votes?: { poll: string; option: number }[]
}

export type ErrorCode =
  | 'bad-message'
  | 'bad-state'
  | 'unsupported-version'
  | 'unauthorized'
  | 'token-expired'
  | 'token-not-yet-valid'
  | 'forbidden'
  | 'not-found'
  | 'room-locked'
  | 'room-full'
  | 'kicked'
  | 'replaced'
  | 'rate-limited'
  | 'too-large'
  | 'bad-sdp'
  | 'unsupported-media'
  | 'session-gone'
  | 'overloaded'
  | 'store-unavailable'
  | 'shutting-down'
  | 'internal'

export type SectionUse = { mid: string; use: SourceUse | SlotUse }

export type ViewSlot = {
  mid: string
  participant?: string
  use?: SourceUse
  widthPx: number
  heightPx: number
}

/** Client to server, without `ref`. */
export type ClientMessage =
  | {
      type: 'join'
      token: string
      client?: string
      resume?: { session: string; secret: string }
    }
  | { type: 'offer'; sdp: string; sections: SectionUse[] }
  | { type: 'publish'; use: SourceUse; live: boolean }
  | { type: 'mute'; participant?: string; use: SourceUse; muted: boolean }
  | { type: 'hand'; raised: boolean; participant?: string }
  | { type: 'chat'; text: string }
  | { type: 'chat-history'; before?: number; limit: number }
  | { type: 'stage'; participant: string; onStage: boolean }
  | { type: 'pin'; participant: string | null; use?: SourceUse }
  | { type: 'view'; main: Pin | null; slots: ViewSlot[] }
  | { type: 'kick'; participant: string; reason?: string }
  | { type: 'lock'; locked: boolean }
  | { type: 'emergency'; on: boolean }
  | { type: 'succession'; order: Successor[] }
  | { type: 'poll-open'; question: string; options: string[] }
  | { type: 'poll-close'; poll: string }
  | { type: 'vote'; poll: string; option: number }
  | { type: 'roster'; cursor?: string; limit: number; search?: string }
  | { type: 'try-upstream' }
  | { type: 'leave' }
  | { type: 'ping' }

export type JoinedMessage = {
  type: 'joined'
  protocol: number
  session: string
  secret: string
  resumed: boolean
  participant: string
  role: Role
  name: string
  site: string
  room: RoomState
  chat: ChatEntry[]
  slots?: SlotState[]
}

export type RoomDelta = {
  type: 'room'
  revision: number
  counts?: Counts
  stage?: { set?: StageMember[]; remove?: string[] }
  hands?: string[]
  locked?: boolean
  emergency?: boolean
  polls?: { set?: Poll[]; remove?: string[] }
  /** New counts of polls that are known. */
  tallies?: { poll: string; counts: number[] }[]
  pin?: Pin | null
  acting?: ActingMember[]
  succession?: Successor[]
}

/** Of a relay alone: how the link to the server above it fares. */
export type UpstreamMessage = {
  type: 'upstream'
  /** `island`: the link is cut and the relay decides for itself. */
  state: 'connected' | 'connecting' | 'island'
  /** How long it has been so, ms. */
  forMs: number
  mark: QualityMark
  /** Downwards, bit/s; 0 while unknown. */
  rateBps: number
  lossRatio: number
  rttMs: number
  /** Names of the relay and of the server above; may be empty. */
  node: string
  upstream: string
}

/** What the links between the nodes leave for a source of ours; `packetMs` 20 and `bitrateBps` 0: as we like. */
export type LimitMessage = {
  type: 'limit'
  use: SourceUse
  packetMs: number
  bitrateBps: number
}

/** Server to client; an answer to a request carries the `ref` of that request. */
export type ServerMessage = { ref?: number } & (
  | JoinedMessage
  | RoomDelta
  | { type: 'answer'; sdp: string }
  | { type: 'ok' }
  | { type: 'error'; code: ErrorCode; message: string; fatal?: boolean }
  | { type: 'speakers'; active: string | null; heard: string[] }
  | { type: 'slots'; slots: SlotState[] }
  | ({ type: 'self' } & SelfState)
  | { type: 'chat'; entries: ChatEntry[] }
  | { type: 'chat-page'; entries: ChatEntry[]; more: boolean }
  | { type: 'roster-page'; members: RosterMember[]; cursor: string | null; total: number }
  | { type: 'quality'; streams: ServerQuality[] }
  | { type: 'media'; state: 'connected' | 'disconnected'; cause?: string }
  | UpstreamMessage
  | LimitMessage
  | { type: 'pong' }
  | { type: 'bye'; code: ErrorCode; message: string }
)

/** The answer of one type, such as `roster-page`. */
export type Answer<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>
