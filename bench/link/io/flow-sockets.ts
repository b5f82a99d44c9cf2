/**
 * How the datagrams of one mapping come from clients and go to the target: what a NAT is to a line. Two ways to do
 * it: dgram-sockets.ts anywhere, batch-sockets.ts where the target is on this machine and the kernel hands many over
 * at a time.
 */
import type { Endpoint } from './endpoint.ts'

/** Who is told. `bytes` are the callee's. `atMs`: when the kernel took it in, or the nearest that is known. */
export type FlowEvents = {
  /** From a client; `key` tells clients apart. `open` makes its way to the target, for a flow that is new. */
  onClient: (key: string | number, datagram: Received, open: () => FlowPath) => void
  /** From the target, to the flow of this path. */
  onAnswer: (path: FlowPath, datagram: Received) => void
  /** To a flow, but not from its target. */
  onStranger: () => void
  onError: () => void
}

export type Received = { bytes: Uint8Array; atMs: number }

/** One flow's way to the target and back to its client. `close` is idempotent; then nothing is sent. */
export interface FlowPath {
  /** False when the kernel (or its queue) is full: the datagram is lost. */
  sendUp(bytes: Uint8Array): boolean
  sendDown(bytes: Uint8Array): boolean
  close(): void
}

/** One per mapping. */
export interface FlowSockets {
  /** Rejects when the address cannot be bound; resolves with the real one. */
  open(): Promise<Endpoint>
  /** Gives all flows new source ports; answers to the old ones find nobody. */
  rebind(): void
  close(): void
}

export type FlowSocketsOptions = { listen: Endpoint; to: Endpoint; events: FlowEvents }
