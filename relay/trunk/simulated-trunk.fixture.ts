/** Two trunk ends and the link between them under a virtual clock. Tests only. */
import { createRandom, Link, type LinkSettings, PERFECT } from '../../bench/link/index.ts'
import {
  applyHandoffStatus,
  HANDOFF_PACKET,
  HandoffFrame,
  readHandoffPacket,
} from '../../core/media/engine/index.ts'
import { SourceLayer } from '../../core/media/forward/index.ts'
import { MediaPacket } from '../../core/media/rtp/index.ts'
import type { StreamPlace, TrunkEnd } from './contract.ts'
import { Camera, type CameraLayer, Voice } from './simulated-media.fixture.ts'
import { createTrunkEnd } from './trunk-end.ts'

const TAG_BYTES = 10

/** `from`: a datagram of an end that is gone does not pass the new one's keys. */
type Flight = { bytes: Uint8Array; index: number; from: TrunkEnd }

/** A packet as the engine of a node would get it. */
export type GotPacket = {
  atMs: number
  streamId: number
  layer: number
  sequence: number
  epoch: number
  timestamp: number
  marker: boolean
  keyframe: boolean
  frameStart: boolean
  temporal: number
  late: boolean
  payload: string
}

/** One node: its end, what its sources are told, what arrived. */
export class Side {
  end!: TrunkEnd
  readonly got: GotPacket[] = []
  readonly sources: (Voice | Camera)[] = []
  /** By stream and layer: rate as last told. */
  readonly told = new Map<string, { bitrateBps: number; levelDbov: number; facts: SourceLayer }>()
  readonly wanted = new Map<number, number>()
  keyframesWanted = 0
  datagrams = 0
  datagramBytesMax = 0
  readonly #frame = new HandoffFrame()
  readonly #packet = new MediaPacket()

  take(nowMs: number, streamId: number, bytes: Uint8Array, end: number): void {
    if (!this.#frame.read(bytes, 0, end)) throw new Error('not a handoff frame')
    if (this.#frame.publicationId !== streamId) throw new Error('of another stream')
    const layer = this.#frame.spatialLayer
    if (this.#frame.kind !== HANDOFF_PACKET) {
      const facts = new SourceLayer({
        publicationId: streamId,
        kind: 'video',
        spatialLayer: layer,
        clockRate: 90_000,
      })
      const levelDbov = applyHandoffStatus(facts, bytes, 0)
      this.told.set(`${streamId}.${layer}`, { bitrateBps: facts.rate.bitrateBps, levelDbov, facts })
      return
    }
    const packet = this.#packet
    readHandoffPacket(packet, bytes, 0, end)
    this.got.push({
      atMs: nowMs,
      streamId,
      layer,
      sequence: packet.sequence,
      epoch: packet.epoch,
      timestamp: packet.timestamp,
      marker: packet.marker,
      keyframe: packet.keyframe,
      frameStart: packet.frameStart,
      temporal: packet.temporalLayer,
      late: packet.late,
      payload: Buffer.from(bytes.subarray(packet.start + 12, end)).toString('hex'),
    })
  }

  of(streamId: number, layer = 0): GotPacket[] {
    return this.got.filter((packet) => packet.streamId === streamId && packet.layer === layer)
  }
}

export type TrunkWorld = { down?: Partial<LinkSettings>; up?: Partial<LinkSettings>; seed?: number }

/** `core` sends downwards to `relay`. */
export class SimulatedTrunk {
  nowMs = 1_000
  readonly core = new Side()
  readonly relay = new Side()
  readonly down: Link<Flight>
  readonly up: Link<Flight>
  /** Each datagram that leaves, before the link. */
  onDatagram: (bytes: Uint8Array, from: Side) => void = () => undefined
  readonly #random: () => number

  constructor({ down = {}, up = {}, seed = 1 }: TrunkWorld = {}) {
    this.down = new Link<Flight>({ ...PERFECT, ...down }, seed)
    this.up = new Link<Flight>({ ...PERFECT, ...up }, seed + 1)
    const random = createRandom(seed + 2)
    this.#random = () => Math.floor(random.next() * 0x1_0000_0000)
    this.restart()
  }

  /** Both ends anew, as after a new handshake. */
  restart(): void {
    this.core.end = this.#create(this.core, this.down, 0x11111111)
    this.relay.end = this.#create(this.relay, this.up, 0x22222222)
  }

  #create(side: Side, out: Link<Flight>, ssrc: number): TrunkEnd {
    const end = createTrunkEnd({
      ssrc,
      nowMs: this.nowMs,
      randomUint32: this.#random,
      outlet: {
        datagram: (bytes, start, last, index) => {
          if (side.end !== end) return
          const sizeBytes = last - start + TAG_BYTES
          side.datagrams += 1
          this.onDatagram(bytes.slice(start, last), side)
          side.datagramBytesMax = Math.max(side.datagramBytesMax, sizeBytes)
          out.send({ bytes: bytes.slice(start, last), index, from: end }, sizeBytes, this.nowMs)
        },
        frame: (streamId, bytes, start, last) => {
          side.take(this.nowMs, streamId, bytes.slice(start, last), last - start)
        },
        wanted: (streamId, mask) => {
          side.wanted.set(streamId, mask)
          const source = side.sources.find(({ spec }) => spec.streamId === streamId)
          if (source === undefined) return
          const added = mask & ~source.mask
          source.mask = mask
          if (!(source instanceof Camera)) return
          for (let i = 0; i < 3; i++) if ((added & (1 << i)) !== 0) source.askKeyframe(i)
        },
        keyframeWanted: (streamId, layer) => {
          side.keyframesWanted += 1
          const source = side.sources.find(({ spec }) => spec.streamId === streamId)
          if (source instanceof Camera) source.askKeyframe(layer)
        },
      },
    })
    return end
  }

  voice(
    side: Side,
    streamId: number,
    place: StreamPlace['place'] = 'heard',
    bitrateBps = 32_000,
  ): Voice {
    const outlet = this.#outletOf(side)
    const startMs = this.nowMs + side.sources.length
    return this.#add(side, new Voice(streamId, outlet, { bitrateBps, startMs }), place)
  }

  camera(
    side: Side,
    streamId: number,
    rates: CameraLayer[],
    place: StreamPlace['place'] = 'main',
  ): Camera {
    const outlet = this.#outletOf(side)
    return this.#add(side, new Camera(streamId, outlet, rates, { startMs: this.nowMs + 3 }), place)
  }

  #outletOf(side: Side) {
    return (streamId: number, bytes: Uint8Array, start: number, end: number): void =>
      side.end.onFrame(streamId, bytes, start, end, this.nowMs)
  }

  #add<T extends Voice | Camera>(side: Side, source: T, place: StreamPlace['place']): T {
    side.sources.push(source)
    this.announce(side, source, place)
    return source
  }

  /** To both ends, as the control flow does. */
  announce(side: Side, source: Voice | Camera, place: StreamPlace['place']): void {
    side.end.offer(source.spec, { place, emergency: false, room: 1 })
    const far = side === this.core ? this.relay : this.core
    far.end.expect(source.spec)
  }

  run(ms: number, each: (nowMs: number) => void = () => undefined): void {
    const until = this.nowMs + ms
    let turns = 0
    while (this.nowMs < until) {
      if (++turns > 5_000 * Math.max(1_000, ms)) throw new Error('deadlines do not advance')
      this.nowMs = Math.min(until, Math.max(this.nowMs, this.#nextMs()))
      this.down.poll(this.nowMs, (flight) => this.#deliver(flight, this.core, this.relay))
      this.up.poll(this.nowMs, (flight) => this.#deliver(flight, this.relay, this.core))
      for (const side of [this.core, this.relay]) {
        for (const source of side.sources) {
          if (source.deadlineMs <= this.nowMs) source.advance(this.nowMs)
        }
        if (side.end.nextDeadlineMs() <= this.nowMs) side.end.onDeadline(this.nowMs)
      }
      each(this.nowMs)
    }
  }

  #deliver({ bytes, index, from }: Flight, sender: Side, receiver: Side): void {
    if (from !== sender.end) return
    receiver.end.onDatagram(bytes, 0, bytes.length, index, this.nowMs)
  }

  #nextMs(): number {
    let next = Math.min(this.down.nextDeadlineMs(), this.up.nextDeadlineMs())
    for (const side of [this.core, this.relay]) {
      next = Math.min(next, side.end.nextDeadlineMs())
      for (const source of side.sources) next = Math.min(next, source.deadlineMs)
    }
    return next
  }
}
