/**
 * What a receiving end does about losses: asks again for datagrams, solves parity, and holds frames
 * as long as the far end says that its repair takes.
 */
import { RELEASE_HOLD_MS_MAX, TRUNK_NACK_RANGES_MAX } from '../../config/limits.ts'
import {
  type IndexRanges,
  NackTimer,
  ParityDecoder,
  type RecoveredOutlet,
} from '../repair/index.ts'
import { type WireReader, writeRanges } from '../wire/index.ts'

/** Asking goes on for so long at least: what comes late still fills caches. */
const HOLD_MS_MIN = 1_000

/** One per end. */
export class RepairIn {
  readonly nack = new NackTimer()
  audioHoldMs = 0
  videoHoldMs = 0
  isVideoPaced = false
  readonly #outlet: RecoveredOutlet
  #parity: ParityDecoder | undefined
  readonly #ranges: IndexRanges = {
    first: new Float64Array(TRUNK_NACK_RANGES_MAX),
    last: new Float64Array(TRUNK_NACK_RANGES_MAX),
  }

  constructor(outlet: RecoveredOutlet) {
    this.#outlet = outlet
    this.configure(100)
  }

  get recoveredCount(): number {
    return this.#parity?.recoveredCount ?? 0
  }

  configure(rttMs: number): void {
    const holdMs = Math.max(HOLD_MS_MIN, this.videoHoldMs)
    this.nack.configure({ rttMs, holdMs, isAsking: true })
  }

  /** @hot A datagram's payload came; parity may solve others by it. */
  onDatagram(index: number, bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    this.nack.onDatagram(index, nowMs)
    this.#parity?.onDatagram(index, bytes, start, end)
  }

  /**
   * Body of a PARITY, brought by the datagram `carrier`. Memory for it is taken at the first one.
   */
  onParity(carrier: number, bytes: Uint8Array, start: number, end: number): void {
    this.#parity ??= new ParityDecoder(this.#outlet)
    this.#parity.onParity(carrier, bytes, start, end)
  }

  /** Body of a HOLD; true when it changes something. */
  onHold(reader: WireReader): boolean {
    const audioMs = Math.min(RELEASE_HOLD_MS_MAX, reader.varint())
    const videoMs = Math.min(RELEASE_HOLD_MS_MAX, reader.varint())
    const isPaced = (reader.uint8() & 1) !== 0
    if (reader.failed) return false
    const isSame =
      audioMs === this.audioHoldMs && videoMs === this.videoHoldMs && isPaced === this.isVideoPaced
    this.audioHoldMs = audioMs
    this.videoHoldMs = videoMs
    this.isVideoPaced = isPaced
    return !isSame
  }

  /** Body of a NACK with what is to be asked for now; returns its end, `offset` when nothing is. */
  writeNack(out: Uint8Array, offset: number, bytesMax: number, nowMs: number): number {
    if (bytesMax < 16) return offset
    const count = this.nack.collect(nowMs, this.#ranges)
    if (count === 0) return offset
    return writeRanges(out, offset, { ...this.#ranges, count, bytesMax })
  }
}
