import { createSocket } from 'node:dgram'
import test from 'ava'
import { bindUdpSockets, type UdpSockets } from './udp-mux-sockets.ts'

type Seen = { bytes: number; address: string; port: number; family: 0 | 1 }

/** Sends from a socket of its own until `done`: loopback may drop what finds a full buffer. */
async function sendUntil(udp: UdpSockets, size: number, done: () => boolean): Promise<void> {
  const clients = [createSocket('udp4'), createSocket('udp6')].slice(0, udp.sockets.length)
  const hosts = ['127.0.0.1', '::1']
  for (let tries = 0; tries < 500 && !done(); tries++) {
    for (const [at, client] of clients.entries()) {
      client.send(new Uint8Array(size), udp.port, hosts[at])
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  for (const client of clients) client.close()
}

test('both families are served on one port, from 0 to 65,507 bytes, and told apart', async (t) => {
  const seen: Seen[] = []
  const udp = await bindUdpSockets({
    port: 0,
    batching: true,
    onDatagram: (bytes, source) => seen.push({ bytes: bytes.length, ...source }),
  })
  t.teardown(() => udp.close())
  t.true(udp.bufferBytes > 0)
  const families = udp.sockets.map((_, family) => family)
  for (const size of [0, 100, 65_507]) {
    const arrived = (family: number): boolean =>
      seen.some((one) => one.family === family && one.bytes === size)
    await sendUntil(udp, size, () => families.every(arrived))
    t.true(families.every(arrived), `${size} bytes`)
  }
  t.true(seen.every((one) => one.address === (one.family === 0 ? '127.0.0.1' : '::1')))
  t.true(seen.every((one) => one.port > 0))
})

test('a taken port is refused with a stable code', async (t) => {
  const udp = await bindUdpSockets({ port: 0, batching: true, onDatagram: () => undefined })
  t.teardown(() => udp.close())
  const again = bindUdpSockets({ port: udp.port, batching: true, onDatagram: () => undefined })
  await t.throwsAsync(again, { code: 'media-port-unavailable' })
})
