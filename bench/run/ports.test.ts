import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import test from 'ava'
import { findPorts } from './ports.ts'

test('ports differ, are free, and are none that the kernel deals out by itself', async (t) => {
  const ports = await findPorts(20)
  t.is(new Set(ports).size, 20)
  const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
  const [first = 0, last = 0] = range.split(/\s+/).map(Number)
  t.deepEqual(
    ports.filter((port) => port >= first && port <= last),
    [],
  )
  const socket = createSocket('udp4')
  socket.bind(ports[0], '127.0.0.1')
  await once(socket, 'listening')
  socket.close()
})
