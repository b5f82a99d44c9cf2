/**
 * What runs in the trunk's thread: binds the sockets, makes the parts, and turns timers and messages into calls of
 * `TrunkCarrier`. Nothing is decided here.
 */
import type { MessagePort, Transferable } from 'node:worker_threads'
import {
  bindUdpSockets,
  createHmacSha1,
  Deadline,
  HELD_PACKETS,
  randomUint32,
  systemClock,
  type TupleSource,
} from '../../core/io/carriers.ts'
import { TrunkCarrier, type TrunkCarrierOptions } from './trunk-carrier.ts'
import type { FromThread, ToThread, TrunkThreadSetup } from './trunk-thread-protocol.ts'

const FIGURES_MS = 1_000

type CreateEnd = TrunkCarrierOptions['createEnd']

/**
 * In a worker thread; elsewhere it does nothing. Ends when the main thread says so, or when the port cannot be bound.
 */
export function startTrunkLoop(
  main: MessagePort | null,
  setup: TrunkThreadSetup,
  createEnd: CreateEnd,
): void {
  if (main === null) return
  run(main, setup, createEnd).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error)
    main.postMessage({ type: 'unavailable', message } satisfies FromThread)
    main.close()
  })
}

async function run(
  main: MessagePort,
  setup: TrunkThreadSetup,
  createEnd: CreateEnd,
): Promise<void> {
  const post = (message: FromThread): void => {
    const transfer: Transferable[] =
      message.type === 'tunnel-out' ? [message.bytes.buffer as ArrayBuffer] : []
    main.postMessage(message, transfer)
  }
  let onDatagram: (bytes: Uint8Array, source: TupleSource) => void = () => undefined
  const udp = await bindUdpSockets({
    ...setup,
    findsMtu: true,
    onDatagram: (bytes, source) => onDatagram(bytes, source),
  })
  const hmac = createHmacSha1()
  const onTurnEnd = (): void => {
    carrier.onTurnEnd()
    deadline.arm()
  }
  const carrier: TrunkCarrier = new TrunkCarrier({
    clock: systemClock,
    hmac,
    routes: udp.routes(hmac.slab, HELD_PACKETS),
    createEnd,
    randomUint32,
    post,
    requestTurnEnd: () => setImmediate(onTurnEnd),
  })
  const deadline = new Deadline(carrier)
  onDatagram = (bytes, source) => carrier.onDatagram(bytes, source)
  setInterval(() => {
    const sendQueue = udp.sockets.reduce((sum, socket) => sum + socket.getSendQueueCount(), 0)
    post({
      type: 'figures',
      figures: { ...figuresOf(carrier), sendQueue, ...deadline.takeFigures() },
    })
  }, FIGURES_MS)
  main.on('message', (message: ToThread) => {
    if (message.type !== 'close') {
      carrier.onMessage(message)
      return
    }
    carrier.close()
    void udp.close().then(() => {
      post({ type: 'closed' })
      main.close()
      process.exit(0)
    })
  })
  const { port, bufferBytes, unbatched } = udp
  post({ type: 'ready', port, bufferBytes, unbatched })
}

function figuresOf({ totals, drops, sealing, roams, trunkCount, router }: TrunkCarrier) {
  const { out, tunnelledPackets, tunnelledBytes } = sealing
  return {
    receivedPackets: totals.receivedPackets,
    receivedBytes: totals.receivedBytes,
    sentPackets: out.packets + tunnelledPackets,
    sentBytes: out.bytes + tunnelledBytes,
    tunnelledPackets,
    roams,
    faults: totals.faults,
    drops,
    trunks: trunkCount,
    routes: router.routeCount,
  }
}
