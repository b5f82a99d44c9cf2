/**
 * Ports for servers that must come back on them: outside of the range from which the kernel deals out ports to
 * everyone else, so that no site's socket sits on one while its server is down.
 */
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

const LOWEST = 10_000
const HIGHEST = 32_000
const TRIES_MAX = 200

/** So many different ports of 127.0.0.1 that are free for UDP and TCP now. Throws when there are none. */
export async function findPorts(count: number): Promise<number[]> {
  const [low, high] = rangeToUse()
  const found = new Set<number>()
  for (let tries = 0; tries < TRIES_MAX && found.size < count; tries++) {
    const port = low + Math.floor(Math.random() * (high - low))
    if (!found.has(port) && (await isFree(port))) found.add(port)
  }
  if (found.size < count) throw new Error(`no free ports between ${low} and ${high}`)
  return [...found]
}

function rangeToUse(): [number, number] {
  const [first = 32_768] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .split(/\s+/)
    .map(Number)
  // A machine that deals out nearly all of them leaves no such room.
  return first > LOWEST + 1_000 ? [LOWEST, Math.min(first, HIGHEST)] : [HIGHEST, 65_000]
}

async function isFree(port: number): Promise<boolean> {
  return (await bindsTcp(port)) && (await bindsUdp(port))
}

function bindsTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)))
  })
}

function bindsUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    socket.once('error', () => resolve(false))
    socket.bind(port, '0.0.0.0', () => socket.close(() => resolve(true)))
  })
}
