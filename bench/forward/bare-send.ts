/**
 * The floor under every figure of `bench forward`: a process that does nothing but send datagrams
 * of the same sizes, at the same rate, to as many sockets, and one that reads them. What a core of
 * this machine can send at all through Node. No server.
 */
import { createSocket, type Socket } from 'node:dgram'
import { createInterface } from 'node:readline'

/** One line each; the sink answers with `ports`, the sender with a BareMeasure. */
export type BareCommand =
  | { op: 'open'; count: number }
  | { op: 'send'; ports: number[]; seconds: number }

export type BareMeasure = { packets: number; cpuSeconds: number }

/** Sealed Opus and VP8 packets of the forwarding measurement, one after the other: 50 and 25 a second. */
const SIZES_BYTES = [102, 102, 772] as const
const PACKETS_PER_SECOND = 75
const SINK_BUFFER_BYTES = 1 << 19
const SEND_BUFFER_BYTES = 4 << 20

const sinks: Socket[] = []

async function bound(bufferBytes: { recvBufferSize?: number; sendBufferSize?: number }) {
  const lookup = (_name: string, _options: unknown, done: LookupDone): void =>
    done(null, '127.0.0.1', 4)
  const socket = createSocket({ type: 'udp4', lookup, ...bufferBytes })
  await new Promise<void>((resolve) => {
    socket.once('listening', resolve)
    socket.bind(0, '127.0.0.1')
  })
  return socket
}

type LookupDone = (error: null, address: string, family: number) => void

async function openSinks(count: number): Promise<{ ports: number[] }> {
  while (sinks.length < count) {
    const socket = await bound({ recvBufferSize: SINK_BUFFER_BYTES })
    socket.on('message', () => {})
    sinks.push(socket)
  }
  return { ports: sinks.map((socket) => socket.address().port) }
}

async function sendTo(ports: readonly number[], seconds: number): Promise<BareMeasure> {
  const socket = await bound({ sendBufferSize: SEND_BUFFER_BYTES })
  const datagrams = SIZES_BYTES.map((size) => Buffer.alloc(size))
  const startMs = performance.now()
  const before = process.cpuUsage()
  const rounds = seconds * PACKETS_PER_SECOND
  for (let round = 0; round < rounds; round += 1) {
    const datagram = datagrams[round % datagrams.length] as Buffer
    for (const port of ports) socket.send(datagram, port, '127.0.0.1')
    const waitMs = startMs + ((round + 1) * 1000) / PACKETS_PER_SECOND - performance.now()
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, waitMs)))
  }
  const { user, system } = process.cpuUsage(before)
  socket.close()
  return { packets: rounds * ports.length, cpuSeconds: (user + system) / 1e6 }
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as BareCommand
  const answer =
    command.op === 'open'
      ? await openSinks(command.count)
      : await sendTo(command.ports, command.seconds)
  console.log(JSON.stringify(answer))
}
