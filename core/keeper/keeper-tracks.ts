/**
 * The tracks that are recorded at a time, by publication: handoff frames of media workers go to their recorders,
 * wishes for layers and keyframes come out. Pure; the keeper thread has one.
 */
import { KEPT_TRACKS_MAX } from '../../config/limits.ts'
import type { CodecName } from '../media/control.ts'
import {
  applyHandoffStatus,
  HANDOFF_PACKET,
  HandoffFrame,
  readHandoffPacket,
} from '../media/engine/index.ts'
import { SourceLayer } from '../media/forward/index.ts'
import { MediaPacket } from '../media/rtp/index.ts'
import type { KeptCodec, KeptTrack } from './contract.ts'
import { type SegmentDraft, TrackRecorder } from './track-recorder.ts'

export type KeeperTracksOptions = {
  nowMs: () => number
  /** Unix time minus monotonic time. */
  wallOffsetMs: () => number
  onSegment: (track: KeptTrack & { name: string }, draft: SegmentDraft) => void
  onKeyframeWanted: (publicationId: number) => void
  /** It comes in a codec that is not kept; once per publication. */
  onUnkept: (codec: CodecName) => void
}

/** A publication that is to be recorded, under its names. */
export type KeepOrder = {
  publicationId: number
  track: KeptTrack & { name: string }
  /** It is the main picture of its room, or a voice that is heard. */
  shown: boolean
}

type Kept = {
  readonly publicationId: number
  readonly track: KeptTrack & { name: string }
  readonly layer: SourceLayer
  levelDbov: number
  codec: KeptCodec | undefined
  recorder: TrackRecorder | undefined
  isUnkept: boolean
  isShown: boolean
}

/** The layer that is kept: the base, or the only one. */
const KEPT_LAYER = 0
export const KEPT_LAYER_MASK = 1 << KEPT_LAYER

export class KeeperTracks {
  readonly #options: KeeperTracksOptions
  readonly #kept = new Map<number, Kept>()
  readonly #frame = new HandoffFrame()
  readonly #packet = new MediaPacket()
  readonly #facts = { levelDbov: 127, isPadding: false, nowMs: 0 }
  #latePackets = 0

  constructor(options: KeeperTracksOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#kept.size
  }

  /** Packets that came too late for their segment. */
  get latePackets(): number {
    let late = this.#latePackets
    for (const { recorder } of this.#kept.values()) late += recorder?.dropped ?? 0
    return late
  }

  has(publicationId: number): boolean {
    return this.#kept.has(publicationId)
  }

  /**
   * False when too many are recorded already. One that is recorded goes on, under another name from its next segment.
   */
  keep({ publicationId, track, shown }: KeepOrder): boolean {
    const known = this.#kept.get(publicationId)
    if (known !== undefined) {
      known.track.name = track.name
      known.isShown = shown
      known.recorder?.setShown(shown, this.#options.nowMs())
      return true
    }
    if (this.#kept.size >= KEPT_TRACKS_MAX) return false
    const kind = track.use === 'microphone' ? 'audio' : 'video'
    const clockRate = kind === 'audio' ? 48_000 : 90_000
    this.#kept.set(publicationId, {
      publicationId,
      track: { ...track },
      layer: new SourceLayer({ publicationId, kind, spatialLayer: KEPT_LAYER, clockRate }),
      levelDbov: 127,
      codec: undefined,
      recorder: undefined,
      isUnkept: false,
      isShown: shown,
    })
    return true
  }

  /** What was recorded of it becomes segments. */
  drop(publicationId: number): void {
    const kept = this.#kept.get(publicationId)
    if (kept === undefined) return
    this.#end(kept)
    this.#kept.delete(publicationId)
  }

  /** All that was recorded becomes segments. */
  end(): void {
    for (const publicationId of [...this.#kept.keys()]) this.drop(publicationId)
  }

  /** @hot One frame as a media worker wrote it; the bytes are not kept. */
  onFrame(bytes: Uint8Array, end: number): void {
    const frame = this.#frame
    if (!frame.read(bytes, 0, end) || frame.spatialLayer !== KEPT_LAYER) return
    const kept = this.#kept.get(frame.publicationId)
    if (kept === undefined) return
    if (frame.kind !== HANDOFF_PACKET) {
      kept.levelDbov = applyHandoffStatus(kept.layer, bytes, 0)
      return
    }
    const packet = this.#packet
    readHandoffPacket(packet, bytes, 0, end)
    const recorder = this.#recorderFor(kept, packet.codec)
    if (recorder === undefined) return
    const facts = this.#facts
    facts.levelDbov = kept.levelDbov
    facts.isPadding = frame.isPadding
    facts.nowMs = this.#options.nowMs()
    recorder.onPacket(packet, facts)
  }

  /** Ends what is due; call about ten times a second. */
  tick(): void {
    const nowMs = this.#options.nowMs()
    for (const { recorder } of this.#kept.values()) {
      if (recorder !== undefined && recorder.nextDeadlineMs() <= nowMs) recorder.onDeadline(nowMs)
    }
  }

  #recorderFor(kept: Kept, codecName: CodecName): TrackRecorder | undefined {
    const codec = keptCodecOf(codecName)
    if (codec !== undefined && kept.codec === codec) return kept.recorder
    this.#end(kept)
    const isVideo = kept.track.use !== 'microphone'
    if (codec === undefined || isVideo !== (codec === 'vp8')) {
      if (!kept.isUnkept) this.#options.onUnkept(codecName)
      kept.isUnkept = true
      return undefined
    }
    kept.codec = codec
    const { nowMs: _, onSegment, onKeyframeWanted, wallOffsetMs } = this.#options
    kept.recorder = new TrackRecorder({
      ...{ use: kept.track.use, codec, wallOffsetMs },
      clock: () => kept.layer.clock,
      onSegment: (draft) => onSegment({ ...kept.track }, draft),
      onKeyframeWanted: () => onKeyframeWanted(kept.publicationId),
    })
    kept.recorder.setShown(kept.isShown, this.#options.nowMs())
    return kept.recorder
  }

  #end(kept: Kept): void {
    if (kept.recorder === undefined) return
    kept.recorder.end()
    this.#latePackets += kept.recorder.dropped
    kept.recorder = undefined
    kept.codec = undefined
  }
}

function keptCodecOf(codec: CodecName): KeptCodec | undefined {
  if (codec === 'opus' || codec === 'red') return 'opus'
  return codec === 'vp8' ? 'vp8' : undefined
}
