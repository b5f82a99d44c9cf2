/** What the door for children asks of the doors of this node (signaling/door.ts fits it), and what it offers them. */

export const TRUNK_SUBPROTOCOL = 'nhipcau.trunk.1'

/** One open WebSocket; no call throws, and after its end they do nothing. */
export interface ChildSocket {
  readonly remoteAddress: string
  send(data: Uint8Array, compress?: boolean): void
  bufferedBytes(): number
  close(code: number, reason: string): void
  terminate(): void
}

/** A path of the doors whose sockets are ours. */
export type ChildSocketRoute = {
  readonly path: string
  readonly subprotocol: string
  /** Whether one more may be opened from there. */
  hasPlaceFor(remoteAddress: string): boolean
  onOpen(socket: ChildSocket): void
  onMessage(socket: ChildSocket, data: Uint8Array, binary: boolean): void
  onClose(socket: ChildSocket): void
}
