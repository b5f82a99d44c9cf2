/**
 * Viewers of one speaker behind impaired lines: the real engine, estimator and allocator, and
 * browsers reduced to what they answer (transport-wide feedback or receiver reports, NACK, PLI).
 * Used by tests only.
 */
import {
  type Cargo,
  createRandom,
  Link,
  type LinkSettings,
  PERFECT,
} from '../../../bench/link/index.ts'
import { TransportFeedbackGenerator } from '../receive/index.ts'
import { ReportBlock, RtcpWriter } from '../rtcp/index.ts'
import { incoming, type SentRtp, SimulatedRoom, Track, viewerSections } from './simulated-room.ts'
import { CAMERA, MICROPHONE, RIDS, takePli } from './simulated-talk.ts'

const MAIN_SSRC = 2_000
const TWCC_ID = 3
const TICK_MS = 5
const WARM_UP_MS = 3_000
const SAMPLE_MS = 100
const NACK_MS = 20
const PLI_MS = 500
const REPORT_MS = 1_000
/** A hole is given up after this: the jitter buffer's end. */
const HOLE_MS_MAX = 1_000
/** SRTP's tag; IPv4 and UDP are the line's own. */
const TAG_BYTES = 10
/**
 * Payload bytes of the packets of each layer: by them it is known at the other end. 150, 400, 950
 * kbit/s.
 */
const LAYER_BYTES = [330, 620, 900]
const LAYER_PACKETS = [2, 3, 5]
const KEYFRAME_TIMES = 4

/** Per 100 ms. */
export type ViewerSeries = {
  /** Payload of RTP that arrived, all of it. */
  arrivedBps: number[]
  /** Layer of the newest picture packet of main; -1 = none in this sample. */
  layer: number[]
  /** Pictures that could be shown. */
  pictures: number[]
}

export type LineShape = { down: Partial<LinkSettings>; up: Partial<LinkSettings> }

/** Both directions, shared by all viewers that are given the same. */
export class SharedLine {
  readonly down: Link<Cargo>
  readonly up: Link<Cargo>

  constructor({ down, up }: LineShape, seed: number) {
    this.down = new Link<Cargo>({ ...PERFECT, ...down }, seed)
    this.up = new Link<Cargo>({ ...PERFECT, ...up }, seed + 1)
  }

  poll(nowMs: number): void {
    this.down.poll(nowMs, (cargo, atMs) => cargo.arrive(atMs))
    this.up.poll(nowMs, (cargo, atMs) => cargo.arrive(atMs))
  }
}

/** What a browser does with what arrives. */
class LinedViewer {
  readonly series: ViewerSeries = { arrivedBps: [], layer: [], pictures: [] }
  readonly line: SharedLine
  readonly #room: SimulatedRoom
  readonly #index: number
  readonly #isTransportWide: boolean
  readonly #feedback = new TransportFeedbackGenerator(1, 2)
  readonly #writer = new RtcpWriter()
  readonly #scratch = new Uint8Array(1_500)
  readonly #block = new ReportBlock()
  #bytes = 0
  #layer = -1
  #pictures = 0
  /** Of main: sequences unwrapped; markers of what waits for a hole. */
  #highest = -1
  #firstSequence = -1
  readonly #holes = new Map<number, { sinceMs: number; askedMs: number }>()
  readonly #markers: number[] = []
  #frozen = true
  #pliMs = Number.NEGATIVE_INFINITY
  #reportMs = 0
  #received = 0
  #reportedHighest = 0
  #reportedReceived = 0
  #senderReport = 0
  #senderReportMs = 0

  constructor(parts: {
    room: SimulatedRoom
    index: number
    line: SharedLine
    isTransportWide: boolean
  }) {
    this.#room = parts.room
    this.#index = parts.index
    this.line = parts.line
    this.#isTransportWide = parts.isTransportWide
  }

  send(packet: SentRtp): void {
    const arrive = (atMs: number) => this.#onPacket(packet, atMs)
    this.line.down.send({ arrive }, packet.bytes.length + TAG_BYTES, this.#room.nowMs)
  }

  /** Sender reports, so that the far end learns the round trip (RFC 3550 §6.4.1). */
  sendRtcp(bytes: Uint8Array): void {
    const arrive = (atMs: number) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset)
      for (let at = 0; at + 28 <= bytes.length; at += 4 + view.getUint16(at + 2) * 4) {
        if (bytes[at + 1] !== 200 || view.getUint32(at + 4) !== MAIN_SSRC) continue
        this.#senderReport = view.getUint32(at + 10)
        this.#senderReportMs = atMs
      }
    }
    this.line.down.send({ arrive }, bytes.length + TAG_BYTES, this.#room.nowMs)
  }

  tick(nowMs: number): void {
    const writer = this.#writer
    if (this.#isTransportWide && nowMs >= this.#feedback.nextDeadlineMs()) {
      writer.reset(this.#scratch, 0, this.#scratch.length)
      writer.receiverReport(9)
      if (this.#feedback.collect(nowMs, writer)) this.#answer()
    }
    this.#ask(nowMs)
    if (nowMs - this.#reportMs >= REPORT_MS) this.#report(nowMs)
  }

  sample(): void {
    const { series } = this
    series.arrivedBps.push((this.#bytes * 8_000) / SAMPLE_MS)
    series.layer.push(this.#layer)
    series.pictures.push(this.#pictures)
    this.#bytes = 0
    this.#layer = -1
    this.#pictures = 0
  }

  #onPacket({ bytes, ssrc, sequence, marker }: SentRtp, atMs: number): void {
    this.#bytes += bytes.length
    const number = transportNumber(bytes)
    if (number >= 0) this.#feedback.onPacket(number, atMs)
    if (ssrc === MAIN_SSRC) this.#onMedia(sequence, { bytes, marker, atMs })
    else if (ssrc === MAIN_SSRC + 1) this.#onResent(bytes)
    this.#release()
  }

  #onMedia(
    sequence: number,
    { bytes, marker, atMs }: { bytes: Uint8Array; marker: boolean; atMs: number },
  ): void {
    if (this.#highest < 0) {
      this.#highest = sequence - 1
      this.#firstSequence = sequence
    }
    const unwrapped = this.#highest + ((((sequence - this.#highest) & 0xffff) ^ 0x8000) - 0x8000)
    for (let missing = this.#highest + 1; missing < unwrapped; missing += 1)
      this.#holes.set(missing, { sinceMs: atMs, askedMs: Number.NEGATIVE_INFINITY })
    this.#highest = Math.max(this.#highest, unwrapped)
    this.#holes.delete(unwrapped)
    this.#received += 1
    const headerBytes = headerBytesOf(bytes)
    this.#layer = LAYER_BYTES.indexOf(bytes.length - headerBytes - 16)
    const isKeyframe = bytes[headerBytes] === 0x90 && (bytes[headerBytes + 6]! & 1) === 0
    if (isKeyframe && this.#frozen) {
      this.#frozen = false
      for (const hole of this.#holes.keys()) if (hole < unwrapped) this.#holes.delete(hole)
    }
    if (marker) this.#markers.push(unwrapped)
  }

  #onResent(bytes: Uint8Array): void {
    const at = headerBytesOf(bytes)
    if (bytes.length < at + 2) return
    const sequence = (bytes[at]! << 8) | bytes[at + 1]!
    for (const hole of this.#holes.keys()) {
      if ((hole & 0xffff) === sequence) this.#holes.delete(hole)
    }
  }

  /** Pictures whose packets and forerunners are all here. */
  #release(): void {
    const first = Math.min(Number.POSITIVE_INFINITY, ...this.#holes.keys())
    while (this.#markers.length > 0 && this.#markers[0]! < first) {
      this.#markers.shift()
      if (!this.#frozen) this.#pictures += 1
    }
  }

  #ask(nowMs: number): void {
    const writer = this.#writer
    const asked: number[] = []
    for (const [sequence, hole] of this.#holes) {
      if (nowMs - hole.sinceMs > HOLE_MS_MAX) {
        this.#frozen = true
        this.#holes.delete(sequence)
      } else if (nowMs - hole.sinceMs >= NACK_MS && nowMs - hole.askedMs > 200) {
        hole.askedMs = nowMs
        asked.push(sequence & 0xffff)
      }
    }
    if (asked.length > 0) {
      writer.reset(this.#scratch, 0, this.#scratch.length)
      writer.receiverReport(9)
      const numbers = Uint16Array.from(asked.slice(0, 100))
      writer.nack({ senderSsrc: 9, mediaSsrc: MAIN_SSRC }, numbers, numbers.length)
      this.#answer()
    }
    if (!this.#frozen || this.#highest < 0 || nowMs - this.#pliMs < PLI_MS) return
    this.#pliMs = nowMs
    writer.reset(this.#scratch, 0, this.#scratch.length)
    writer.receiverReport(9)
    writer.pli(9, MAIN_SSRC)
    this.#answer()
  }

  #report(nowMs: number): void {
    this.#reportMs = nowMs
    const expected = this.#highest - this.#firstSequence + 1
    const lately = expected - this.#reportedHighest
    if (this.#highest < 0 || lately <= 0) return
    const lost = Math.max(0, lately - (this.#received - this.#reportedReceived))
    this.#reportedHighest = expected
    this.#reportedReceived = this.#received
    this.#block.ssrc = MAIN_SSRC
    this.#block.fractionLost = Math.min(255, Math.floor((lost * 256) / lately))
    this.#block.highestSequence = this.#highest
    this.#block.lastSenderReport = this.#senderReport
    this.#block.delaySinceLastSenderReport =
      this.#senderReport === 0 ? 0 : Math.round(((nowMs - this.#senderReportMs) * 65_536) / 1_000)
    this.#writer.reset(this.#scratch, 0, this.#scratch.length)
    this.#writer.receiverReport(9)
    this.#writer.reportBlock(this.#block)
    this.#answer()
  }

  #answer(): void {
    const bytes = this.#scratch.slice(0, this.#writer.end)
    const room = this.#room
    const arrive = () => room.engine.onRtcp(this.#index, bytes, 0, bytes.length, room.nowMs)
    this.line.up.send({ arrive }, bytes.length + TAG_BYTES, room.nowMs)
  }
}

export type LinedTalk = {
  /** One per viewer; the same object for those who share it. */
  lines: SharedLine[]
  /** Sorted by time, from the start of the talk. */
  changes?: {
    atMs: number
    line: SharedLine
    down?: Partial<LinkSettings>
    up?: Partial<LinkSettings>
  }[]
  durationMs: number
  isTransportWide?: boolean
  /** How tall main is drawn; default 720. */
  heightPx?: number
}

/** One speaker in three layers, heard and watched over lines; returns what each viewer saw. */
export function watchOverLines(talk: LinedTalk): ViewerSeries[] {
  const { lines, durationMs, isTransportWide = true, heightPx = 720 } = talk
  const room = new SimulatedRoom()
  const speaker = room.join(1, [
    incoming('microphone', MICROPHONE),
    incoming('camera', CAMERA, { rids: RIDS }),
  ])
  const voice = new Track({
    room,
    transportIndex: speaker,
    ssrc: 1,
    mid: 'microphone',
    kind: 'audio',
  })
  const cameras = RIDS.map((rid, i) => {
    const place = { room, transportIndex: speaker, ssrc: 10 + i, mid: 'camera', rid } as const
    const track = new Track({ ...place, kind: 'video' })
    track.heightPx = [180, 360, 720][i]!
    track.payloadBytes = LAYER_BYTES[i]!
    return track
  })
  room.assign([MICROPHONE, 0, 0], CAMERA)
  const chance = createRandom(5)
  const speakOnce = (atMs: number) => {
    if (atMs % 20 === 0) voice.audio()
    if (atMs % 40 === 0) speak({ room, cameras, speaker, chance: chance.next() })
  }
  // Viewers come to a talk that has begun: the rates of its layers are known.
  for (let atMs = 0; atMs < WARM_UP_MS; atMs += TICK_MS) {
    speakOnce(atMs)
    room.advance(TICK_MS)
  }
  const viewers = lines.map((line, i) => {
    const index = room.join(100 + i, viewerSections(0, { transportWide: isTransportWide }))
    const views = [{ mid: 'main0', publicationId: 0, widthPx: (heightPx * 16) / 9, heightPx }]
    room.engine.command({ type: 'view', transportId: 100 + i, views }, room.nowMs)
    return { index, viewer: new LinedViewer({ room, index, line, isTransportWide }) }
  })
  const startMs = room.nowMs
  const changes = [...(talk.changes ?? [])]
  for (let atMs = 0; atMs < durationMs; atMs += TICK_MS) {
    const nowMs = startMs + atMs
    while ((changes[0]?.atMs ?? Number.POSITIVE_INFINITY) <= atMs) {
      const { line, down = {}, up = {} } = changes.shift()!
      line.down.change(down, nowMs)
      line.up.change(up, nowMs)
    }
    for (const line of new Set(lines)) line.poll(nowMs)
    for (const { viewer } of viewers) viewer.tick(nowMs)
    speakOnce(atMs)
    room.advance(TICK_MS)
    for (const packet of room.sink.rtp.splice(0))
      viewers.find(({ index }) => index === packet.transportIndex)?.viewer.send(packet)
    for (const { transportIndex, bytes } of room.sink.rtcp) {
      viewers.find(({ index }) => index === transportIndex)?.viewer.sendRtcp(bytes)
    }
    room.sink.rtcp = room.sink.rtcp.filter(({ transportIndex }) => transportIndex === speaker)
    if (atMs % SAMPLE_MS === 0) for (const { viewer } of viewers) viewer.sample()
  }
  return viewers.map(({ viewer }) => viewer.series)
}

function speak({
  room,
  cameras,
  speaker,
  chance,
}: {
  room: SimulatedRoom
  cameras: Track[]
  speaker: number
  chance: number
}): void {
  cameras.forEach((camera, i) => {
    if (takePli({ room, speaker }, 10 + i)) camera.keyframeWanted = true
    const usual = LAYER_PACKETS[i]! + (chance > 0.8 ? 1 : 0)
    camera.frame(camera.keyframeWanted ? usual * KEYFRAME_TIMES : usual, 3_600)
  })
  room.sink.rtcp.length = 0
}

/** -1 when the packet has none. RFC 8285 one-byte form. */
function transportNumber(bytes: Uint8Array): number {
  if ((bytes[0]! & 0x10) === 0) return -1
  const end = headerBytesOf(bytes)
  for (let at = 16; at < end; ) {
    const head = bytes[at]!
    if (head >> 4 === TWCC_ID) return (bytes[at + 1]! << 8) | bytes[at + 2]!
    at += head === 0 ? 1 : 2 + (head & 15)
  }
  return -1
}

function headerBytesOf(bytes: Uint8Array): number {
  if ((bytes[0]! & 0x10) === 0) return 12
  return 16 + 4 * ((bytes[14]! << 8) | bytes[15]!)
}
