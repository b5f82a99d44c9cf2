/**
 * What the trunks of a node and its doors tell each other about rooms, by names that are the same on every node.
 * Main thread only. Implemented by the hub (signaling/session); used by the trunk desk (relay/desk).
 */
import type { CodecSpec, MediaKind, SourceUse } from '../core/media/control.ts'

/** One track of one participant: the name of a publication on every node. */
export type TrackName = { room: string; participant: string; use: SourceUse }

/** All that another node must know before it can take a publication in. */
export type TrackDescription = TrackName & {
  kind: MediaKind
  /** First entry is preferred. Payload types are those of the node that tells. Never empty. */
  codecs: CodecSpec[]
  /** 1..LAYERS_PER_PUBLICATION_MAX; layer 0 is the lowest. */
  layerCount: number
  /** Packets have ever arrived at the node where it is published. */
  started: boolean
  /** Packets arrive there now. */
  flowing: boolean
}

/** What everyone in a room hears and sees by default; chosen by the director of the topmost reachable node. */
export type StageChoice = {
  room: string
  /** Participants by audio slot; '' = silent. */
  heard: string[]
  main: { participant: string; use: SourceUse } | null
  /** What the publisher of the main picture sees. */
  mainFallback: { participant: string; use: SourceUse } | null
  /** Who spoke last (PROTOCOL `speakers`). */
  active: string | null
}

/** State of the way to the upstream, as people see it. */
export type UpstreamState = {
  /** `island`: the lease has ended and this node decides for itself. */
  state: 'connected' | 'connecting' | 'island'
  /** Unix ms: `connected` since then; otherwise the last sign of the node above. */
  sinceMs: number
  /** green: good; amber: something is left out; red: audio alone or worse. */
  mark: 'green' | 'amber' | 'red'
  /** Downwards, bit/s; 0 while unknown. */
  rateBps: number
  /** 0..1, before repair. */
  lossRatio: number
  rttMs: number
  /** Name of the node above; '' before the first welcome. */
  upstream: string
}

/** What the publisher of a voice is asked to send, so that it fits the links between it and its listeners. */
export type SpeechLimit = {
  /** Opus packet time: 20, 40 or 60 ms; 20 = as it likes. */
  packetMs: number
  /** Mean rate; 0 = as it likes. */
  bitrateBps: number
}

/** What happens in the rooms of this node. Called on the main thread; must not throw. */
export type StageListener = {
  /** A publication of a participant of this node came (or changed its flags), under this publicationId. */
  onPublished: (publicationId: number, track: TrackDescription) => void
  onUnpublished: (publicationId: number) => void
  /** This node's own choice for a room, whenever it changes; not told while it follows another's. */
  onChoice: (choice: StageChoice) => void
  /** A room has become of interest here (someone of this node is in it), or is no longer. */
  onRoom: (room: string, present: boolean) => void
  /** A room was marked as an emergency, or is none any more: its streams go before all others. */
  onEmergency: (room: string, emergency: boolean) => void
}

/**
 * What is here to be heard and seen, whichever node it is published at and whichever node chose it: for who records
 * it. Called on the main thread; must not throw.
 */
export type StageObserver = {
  /** A publication of this node or of another came, or changed its flags. */
  onTrack: (publicationId: number, track: TrackDescription) => void
  onTrackGone: (publicationId: number) => void
  /** What the room hears and sees from now on: this node's own choice, or the one that it follows. */
  onShown: (choice: StageChoice) => void
}

/** One per node. */
export interface StagePort {
  /** Tells all that is there already, then what changes. One listener. */
  watch(listener: StageListener): void
  /** The same for what is here, from wherever. Any number of observers. */
  observe(observer: StageObserver): void
  /**
   * A track of another node becomes available in its room; returns its publicationId (never 0) on this node. The room
   * is kept here until its last remote track is gone, even without anybody of this node in it.
   */
  importTrack(track: TrackDescription): number
  /** Its flags have changed. */
  updateTrack(publicationId: number, flags: { started: boolean; flowing: boolean }): void
  forgetTrack(publicationId: number): void
  /** Follow this choice of the upstream for its room, or (undefined) decide here again: on an island. */
  follow(room: string, choice: StageChoice | undefined): void
  /** Asks the publisher of a track of this node; until said otherwise. */
  limitSpeech(publicationId: number, limit: SpeechLimit): void
  /** For the banner of the pages (PROTOCOL `upstream`), and for who moderates an island. Absent on a core. */
  setUpstream(state: UpstreamState): void
  /** Ids of the nodes that hang below this one now, at any depth: with it they are one island when it is cut off. */
  setNodesBelow(nodeIds: readonly string[]): void
}
