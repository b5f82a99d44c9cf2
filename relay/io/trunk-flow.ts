/**
 * One trunk in the trunk thread: its `TrunkEnd`, its keys and its path. Contains the faults of its end: they end this
 * trunk alone. The carrier (trunk-carrier.ts) owns them all.
 */
import type { SrtpReceiver, TupleSource } from '../../core/io/carriers.ts'
import type { TrunkFlow } from '../media-port.ts'
import type { StreamPlace, TrunkEnd, TrunkReport, TrunkStreamSpec } from '../trunk/contract.ts'
import { TrunkPath } from './trunk-path.ts'

export type FlowOptions = {
  flow: TrunkFlow
  /** Place among the flows, and the token of what it seals. */
  token: number
  remote: TupleSource | undefined
  receiver: SrtpReceiver
  /** Handles of the SRTP sender. */
  context: number
  stream: number
  onFault: (flow: Flow, error: unknown) => void
}

/** Made before its end, whose outlet needs it; `begin` puts the end in. */
export class Flow implements TrunkEnd {
  readonly trunkId: number
  readonly token: number
  readonly receiveSsrc: number
  readonly receiver: SrtpReceiver
  readonly context: number
  readonly stream: number
  readonly path: TrunkPath<TupleSource>
  droppedForged = 0
  /** Highest index of an authentic datagram; -1 before the first. */
  newestIndex = -1
  heardMs = Number.NEGATIVE_INFINITY
  /** As the main thread was told. */
  isHeardTold = false
  isFailed = false
  readonly #onFault: FlowOptions['onFault']
  #end: TrunkEnd | undefined

  constructor({ flow, token, remote, receiver, context, stream, onFault }: FlowOptions) {
    this.trunkId = flow.trunkId
    this.token = token
    this.receiveSsrc = flow.receive.ssrc
    this.receiver = receiver
    this.context = context
    this.stream = stream
    this.path = new TrunkPath(remote)
    this.#onFault = onFault
  }

  begin(end: TrunkEnd): void {
    this.#end = end
  }

  offer(spec: TrunkStreamSpec, place: StreamPlace): void {
    this.#guard((end) => end.offer(spec, place))
  }

  withdraw(streamId: number): void {
    this.#guard((end) => end.withdraw(streamId))
  }

  expect(spec: TrunkStreamSpec): void {
    this.#guard((end) => end.expect(spec))
  }

  unexpect(streamId: number): void {
    this.#guard((end) => end.unexpect(streamId))
  }

  want(streamId: number, layerMask: number): void {
    this.#guard((end) => end.want(streamId, layerMask))
  }

  requestKeyframe(streamId: number, layer: number): void {
    this.#guard((end) => end.requestKeyframe(streamId, layer))
  }

  saturate(untilMs: number): void {
    this.#guard((end) => end.saturate(untilMs))
  }

  /** @hot */
  onFrame(streamId: number, bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    if (this.#end === undefined || this.isFailed) return
    try {
      this.#end.onFrame(streamId, bytes, start, end, nowMs)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** @hot */
  onDatagram(bytes: Uint8Array, start: number, end: number, index: number, nowMs: number): void {
    if (this.#end === undefined || this.isFailed) return
    try {
      this.#end.onDatagram(bytes, start, end, index, nowMs)
    } catch (error) {
      this.#fail(error)
    }
  }

  nextDeadlineMs(): number {
    if (this.#end === undefined || this.isFailed) return Number.POSITIVE_INFINITY
    return this.#end.nextDeadlineMs()
  }

  onDeadline(nowMs: number): void {
    this.#guard((end) => end.onDeadline(nowMs))
  }

  /** undefined when it could not be made. */
  tryReport(nowMs: number): TrunkReport | undefined {
    let report: TrunkReport | undefined
    this.#guard((end) => {
      report = end.report(nowMs)
    })
    return report
  }

  report(nowMs: number): TrunkReport {
    return this.#end!.report(nowMs)
  }

  #guard(act: (end: TrunkEnd) => void): void {
    if (this.#end === undefined || this.isFailed) return
    try {
      act(this.#end)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.isFailed = true
    this.#onFault(this, error)
  }
}
