/**
 * Which sockets are open, which of them have not joined yet, and how many an address has.
 */

import { JOIN_MS_MAX, SOCKETS_PER_ADDRESS_MAX, SOCKETS_WAITING_MAX } from '../../config/index.ts'
import type { DoorSocket } from '../door.ts'
import type { Connection } from './connection.ts'

/** Every open socket with its connection. */
export class SocketTable {
  readonly #connections = new Map<DoorSocket, Connection>()
  /** In order of opening. */
  readonly #waiting = new Set<Connection>()
  readonly #countByAddress = new Map<string, number>()

  get size(): number {
    return this.#connections.size
  }

  /** Whether one more socket of this address is taken. */
  hasPlaceFor(address: string, isLoopback: boolean): boolean {
    if (this.#waiting.size >= SOCKETS_WAITING_MAX) return false
    return isLoopback || (this.#countByAddress.get(address) ?? 0) < SOCKETS_PER_ADDRESS_MAX
  }

  add(socket: DoorSocket, connection: Connection): void {
    this.#connections.set(socket, connection)
    this.#waiting.add(connection)
    this.#count(socket.remoteAddress, 1)
  }

  get(socket: DoorSocket): Connection | undefined {
    return this.#connections.get(socket)
  }

  /** The connection of a socket that is closed now, once. */
  remove(socket: DoorSocket): Connection | undefined {
    const connection = this.#connections.get(socket)
    if (connection === undefined) return undefined
    this.#connections.delete(socket)
    this.#waiting.delete(connection)
    this.#count(socket.remoteAddress, -1)
    return connection
  }

  joined(connection: Connection): void {
    this.#waiting.delete(connection)
  }

  /** Those that should have joined by now; each is named once. */
  takeOverdue(nowMs: number): Connection[] {
    const overdue: Connection[] = []
    for (const connection of this.#waiting) {
      if (nowMs - connection.openedMs < JOIN_MS_MAX) break
      overdue.push(connection)
    }
    for (const connection of overdue) this.#waiting.delete(connection)
    return overdue
  }

  connections(): Connection[] {
    return [...this.#connections.values()]
  }

  #count(address: string, change: 1 | -1): void {
    const count = (this.#countByAddress.get(address) ?? 0) + change
    if (count > 0) this.#countByAddress.set(address, count)
    else this.#countByAddress.delete(address)
  }
}
