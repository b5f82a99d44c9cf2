/**
 * Datagrams that the kernel threw away because this process did not read its UDP sockets in time:
 * the load's fault, not the server's. From /proc/net/udp, for the sockets that this process holds;
 * whatever reads them (dgram or not).
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Inode to drops of a table in the format of /proc/net/udp; lines of another shape are skipped. */
export function parseUdpTable(text: string): Map<number, number> {
  const drops = new Map<number, number>()
  for (const line of text.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/)
    const inode = Number(fields[9])
    const dropped = Number(fields.at(-1))
    if (fields.length >= 13 && inode > 0 && Number.isInteger(dropped)) drops.set(inode, dropped)
  }
  return drops
}

/** Remembers what closed sockets had dropped, as long as it was asked before they closed. */
export class UdpDrops {
  readonly #known = new Map<number, number>()

  /** Reads the kernel's table; the sum of all drops so far. About 3 us a socket. */
  read(): number {
    const own = ownSockets()
    for (const path of ['/proc/self/net/udp', '/proc/self/net/udp6']) {
      const text = readTable(path)
      for (const [inode, drops] of parseUdpTable(text)) {
        if (drops > 0 && own.has(inode)) this.#known.set(inode, drops)
      }
    }
    let sum = 0
    for (const drops of this.#known.values()) sum += drops
    return sum
  }
}

function readTable(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function ownSockets(): Set<number> {
  const inodes = new Set<number>()
  for (const descriptor of readdirSync('/proc/self/fd')) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1]
      if (inode !== undefined) inodes.add(Number(inode))
    } catch {
      // Closed meanwhile: the descriptor of this very listing, for one.
    }
  }
  return inodes
}
