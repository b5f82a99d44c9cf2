/**
 * Participants for tests of the engine: sections as a browser negotiates them, RTP as it sends it,
 * a sink that records, and a virtual clock. Used by tests and benchmarks only.
 */
import type {
  CodecSpec,
  FeedbackSpec,
  IncomingSection,
  MediaReport,
  OutgoingSection,
  Section,
  SlotUse,
  SourceUse,
} from '../control.ts'
import { ExtensionWriter, writeRtpHeader, writeUint16 } from '../rtp/index.ts'
import type { PacketSink } from '../sink.ts'
import type { EngineOptions } from './contract.ts'
import { Engine } from './engine.ts'

const OPUS: CodecSpec = { codec: 'opus', payloadType: 111, clockRate: 48_000 }
const RED: CodecSpec = { codec: 'red', payloadType: 63, clockRate: 48_000 }
export const VP8: CodecSpec = {
  codec: 'vp8',
  payloadType: 96,
  rtxPayloadType: 97,
  clockRate: 90_000,
}

const NO_FEEDBACK: FeedbackSpec = { nack: false, pli: false, transportWide: false, remb: false }
const VIDEO_FEEDBACK: FeedbackSpec = { nack: true, pli: true, transportWide: false, remb: true }
const MID_ID = 4
const RID_ID = 10
const LEVEL_ID = 1
const TWCC_ID = 3

export type SentRtp = {
  transportIndex: number
  ssrc: number
  index: number
  bytes: Uint8Array
  sequence: number
  timestamp: number
  payloadType: number
  marker: boolean
}

/** Records everything; refuses what SRTP would refuse. */
class RecordingSink implements PacketSink {
  readonly rtp: SentRtp[] = []
  rtcp: { transportIndex: number; bytes: Uint8Array }[] = []
  readonly open = new Map<number, { transportIndex: number; ssrc: number }>()
  readonly violations: string[] = []
  readonly #byIndex = new Map<string, string>()
  #next = 1

  openStream(transportIndex: number, ssrc: number): number {
    this.open.set(this.#next, { transportIndex, ssrc })
    return this.#next++
  }

  closeStream(stream: number): void {
    if (!this.open.delete(stream)) this.violations.push(`closed twice: ${stream}`)
  }

  sendRtp(stream: number, bytes: Uint8Array, start: number, end: number, index: number): void {
    const where = this.open.get(stream)
    if (where === undefined) {
      this.violations.push(`sent on closed stream ${stream}`)
      return
    }
    const copy = bytes.slice(start, end)
    const view = new DataView(copy.buffer)
    const sequence = view.getUint16(2)
    if (sequence !== (index & 0xffff)) this.violations.push(`index ${index} is not ${sequence}`)
    const key = `${stream}.${index}`
    const text = copy.join()
    if ((this.#byIndex.get(key) ?? text) !== text) this.violations.push(`other bytes under ${key}`)
    this.#byIndex.set(key, text)
    this.rtp.push({
      ...where,
      index,
      bytes: copy,
      sequence,
      timestamp: view.getUint32(4),
      payloadType: copy[1]! & 0x7f,
      marker: copy[1]! >= 0x80,
    })
  }

  sendRtcp(transportIndex: number, bytes: Uint8Array, start: number, end: number): void {
    this.rtcp.push({ transportIndex, bytes: bytes.slice(start, end) })
  }
}

/** Deterministic 32-bit numbers (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

export type ReceiveOptions = Partial<{ rtx: boolean; transportWide: boolean; red: boolean }>

/** A slot as a browser negotiates it; SSRCs 1000, 2000 and 3000 up, by use. */
export function outgoing(
  use: SlotUse,
  index: number,
  options: ReceiveOptions = {},
): OutgoingSection {
  const isAudio = use === 'audio'
  const hasRtx = !isAudio && options.rtx !== false
  const ssrc = (isAudio ? 1_000 : use === 'main' ? 2_000 : 3_000) + index * 2
  const codec = { ...VP8 }
  if (!hasRtx) delete codec.rtxPayloadType
  const audioCodecs = options.red ? [{ ...RED, payloadType: 64 }, OPUS] : [OPUS]
  const transportWide = options.transportWide === true
  return {
    direction: 'out',
    mid: `${use}${index}`,
    kind: isAudio ? 'audio' : 'video',
    codecs: isAudio ? audioCodecs : [codec],
    extensions: transportWide ? { transportWide: TWCC_ID } : {},
    feedback: { ...(isAudio ? NO_FEEDBACK : VIDEO_FEEDBACK), transportWide },
    use,
    index,
    ssrc,
    rtxSsrc: hasRtx ? ssrc + 1 : 0,
  }
}

/** A section on which a browser sends one publication. */
export function incoming(
  use: SourceUse,
  publicationId: number,
  options: Partial<{ rids: string[]; red: boolean; transportWide: boolean }> = {},
): IncomingSection {
  const isAudio = use === 'microphone'
  const transportWide = options.transportWide === true
  return {
    direction: 'in',
    mid: use,
    kind: isAudio ? 'audio' : 'video',
    codecs: isAudio ? (options.red ? [RED, OPUS] : [OPUS]) : [VP8],
    extensions: {
      mid: MID_ID,
      rid: RID_ID,
      audioLevel: LEVEL_ID,
      ...(transportWide ? { transportWide: TWCC_ID } : {}),
    },
    feedback: { ...(isAudio ? NO_FEEDBACK : VIDEO_FEEDBACK), transportWide },
    use,
    publicationId,
    rids: options.rids ?? [],
    ssrcs: [],
  }
}

/** Three audio slots, main, and tiles, as every participant has. */
export function viewerSections(tileCount = 2, options: ReceiveOptions = {}): OutgoingSection[] {
  const audio = [0, 1, 2].map((index) => outgoing('audio', index, options))
  const tiles = Array.from({ length: tileCount }, (_, index) => outgoing('tile', index, options))
  return [...audio, outgoing('main', 0, options), ...tiles]
}

/** An engine with its surroundings. */
export class SimulatedRoom {
  readonly sink = new RecordingSink()
  readonly reports: MediaReport[] = []
  readonly engine: Engine
  nowMs = 1_000

  constructor(options: Partial<EngineOptions> = {}) {
    this.engine = new Engine({
      sink: this.sink,
      randomUint32: createRandom(7),
      report: (report) => this.reports.push(report),
      unixMsAtZero: 1_700_000_000_000,
      ...options,
    })
  }

  /** Opens and connects a participant; returns its index. */
  join(transportId: number, sections: Section[], roomId = 1): number {
    const ice = { usernameFragment: 'u', password: 'p' }
    const permitted: SourceUse[] = ['microphone', 'camera', 'screen']
    const spec = { transportId, roomId, iceLocal: ice, iceRemote: ice, fingerprints: [] }
    this.engine.command({ type: 'open', spec: { ...spec, sections, permitted } }, this.nowMs)
    const index = this.engine.transportIndex(transportId)
    this.engine.connected(index, this.nowMs)
    return index
  }

  assign(audio: number[], main: number, mainFallback = 0, roomId = 1): void {
    const assignment = { audio, main, mainFallback }
    this.engine.command({ type: 'assign', roomId, assignment }, this.nowMs)
  }

  /** Lets time pass, with every deadline kept. */
  advance(ms: number): void {
    const until = this.nowMs + ms
    for (;;) {
      const deadlineMs = this.engine.nextDeadlineMs()
      if (deadlineMs > until) break
      this.nowMs = Math.max(this.nowMs, deadlineMs)
      this.engine.onDeadline(this.nowMs)
    }
    this.nowMs = until
  }

  sentTo(transportIndex: number, ssrc: number): SentRtp[] {
    return this.sink.rtp.filter((row) => row.transportIndex === transportIndex && row.ssrc === ssrc)
  }
}

export type SimulatedTrack = {
  room: SimulatedRoom
  transportIndex: number
  ssrc: number
  mid: string
  rid?: string
  kind: 'audio' | 'video'
}

/** One SSRC of a publisher: writes RTP as a browser does. */
export class Track {
  sequence = 65_500
  timestamp = 0xffff_f000
  pictureId = 0x7ff0
  tl0PicIdx = 250
  keyframeWanted = true
  /** Lost between publisher and us. */
  lose: (sequence: number) => boolean = () => false
  transportSequence: (() => number) | undefined
  levelDbov = 30
  payloadType: number
  payloadBytes = 60
  heightPx = 180
  readonly #options: SimulatedTrack
  readonly #extensions = new ExtensionWriter()
  #temporalPosition = 0

  constructor(options: SimulatedTrack) {
    this.#options = options
    this.payloadType = options.kind === 'audio' ? OPUS.payloadType : VP8.payloadType
  }

  /** Twenty milliseconds of Opus. */
  audio(payload: Uint8Array = new Uint8Array(this.payloadBytes).fill(1)): void {
    this.timestamp = (this.timestamp + 960) >>> 0
    this.#send(payload, false)
  }

  /** One VP8 frame of `packetCount` packets, `ticks` after the last. */
  frame(packetCount = 2, ticks = 3_000): void {
    this.timestamp = (this.timestamp + ticks) >>> 0
    this.pictureId = (this.pictureId + 1) & 0x7fff
    const isKeyframe = this.keyframeWanted
    this.keyframeWanted = false
    if (isKeyframe) this.#temporalPosition = 0
    const temporal = [0, 2, 1, 2][this.#temporalPosition++ % 4]!
    if (temporal === 0) this.tl0PicIdx = (this.tl0PicIdx + 1) & 0xff
    for (let i = 0; i < packetCount; i++) {
      const payload = new Uint8Array(6 + 10 + this.payloadBytes)
      payload[0] = i === 0 ? 0x90 : 0x80
      payload[1] = 0xe0
      writeUint16(payload, 2, 0x8000 | this.pictureId)
      payload[4] = this.tl0PicIdx
      payload[5] = (temporal << 6) | (temporal > 0 ? 0x20 : 0)
      if (i === 0) {
        payload[6] = isKeyframe ? 0x10 : 0x11
        payload.set([0x9d, 0x01, 0x2a], 9)
        payload[12] = (this.heightPx * 16) / 9
        payload[14] = this.heightPx & 0xff
        payload[15] = this.heightPx >> 8
      }
      this.#send(payload, i === packetCount - 1)
    }
  }

  #send(payload: Uint8Array, marker: boolean): void {
    const { room, transportIndex, ssrc, mid, rid, kind } = this.#options
    const sequence = this.sequence
    this.sequence += 1
    const transportSequence = this.transportSequence?.()
    if (this.lose(sequence)) return
    const bytes = new Uint8Array(payload.length + 80)
    const header = { payloadType: this.payloadType, marker, timestamp: this.timestamp, ssrc }
    writeRtpHeader(bytes, 0, { ...header, sequenceNumber: sequence & 0xffff })
    const extensions = this.#extensions
    extensions.begin(bytes, 0)
    extensions.addBytes(MID_ID, ascii(mid))
    if (rid !== undefined) extensions.addBytes(RID_ID, ascii(rid))
    if (kind === 'audio') extensions.addUint8(LEVEL_ID, this.levelDbov)
    if (transportSequence !== undefined) extensions.addUint16(TWCC_ID, transportSequence & 0xffff)
    const end = extensions.finish()
    bytes.set(payload, end)
    room.engine.onRtp(transportIndex, bytes, 0, end + payload.length, room.nowMs)
  }
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}
