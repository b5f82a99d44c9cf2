/**
 * Entry of a media worker's thread: binds the sockets, makes the parts, and turns timers and messages into calls of
 * `MediaWorker`. Started by media-plane-worker.ts with a WorkerSetup. Nothing is decided here.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { Engine } from '../media/engine/index.ts'
import { systemClock } from './clock.ts'
import { HandshakerPort } from './dtls/index.ts'
import { MediaWorker } from './media-worker.ts'
import type { FromWorker, ToWorker, WorkerSetup } from './media-worker-protocol.ts'
import { writeSnapshot } from './media-worker-snapshot.ts'
import { createHmacSha1 } from './srtp/index.ts'
import { Deadline, randomUint32 } from './thread-deadline.ts'
import { HELD_PACKETS } from './udp-mux-send.ts'
import { bindUdpSockets, type UdpSockets } from './udp-mux-sockets.ts'

const SNAPSHOT_MS = 1_000

async function run(main: MessagePort, setup: WorkerSetup): Promise<void> {
  const post = (message: FromWorker): void => main.postMessage(message)
  let onDatagram: MediaWorker['onDatagram'] = () => undefined
  const udp = await bindUdpSockets({
    port: setup.port,
    batching: setup.batching,
    onDatagram: (bytes, source) => onDatagram(bytes, source),
  })
  const connect = (port: MessagePort): HandshakerPort =>
    new HandshakerPort(port, (event) => worker.onHandshake(event))
  let handshaker = connect(setup.handshaker)
  const onTurnEnd = (): void => {
    worker.onTurnEnd()
    deadline.arm()
  }
  const hmac = createHmacSha1()
  const worker: MediaWorker = new MediaWorker({
    clock: systemClock,
    hmac,
    routes: udp.routes(hmac.slab, HELD_PACKETS),
    handshaker: {
      open: (transportId, fingerprints) => handshaker.open(transportId, fingerprints),
      datagram: (transportId, bytes) => handshaker.datagram(transportId, bytes),
      close: (transportId) => handshaker.close(transportId),
    },
    createEngine: (options) => new Engine(options),
    randomUint32,
    post,
    requestTurnEnd: () => setImmediate(onTurnEnd),
  })
  const deadline = new Deadline(worker)
  onDatagram = (bytes, source) => worker.onDatagram(bytes, source)
  setInterval(() => {
    const sendQueue = udp.sockets.reduce((sum, socket) => sum + socket.getSendQueueCount(), 0)
    post(writeSnapshot(worker, { ...deadline.takeFigures(), sendQueue }))
  }, SNAPSHOT_MS)
  main.on('message', (message: ToWorker) => {
    if (message.type === 'close') close({ worker, handshaker, udp, main })
    else if (message.type === 'handshaker') handshaker = connect(message.port)
    else worker.onMessage(message)
  })
  const { port, bufferBytes, sockets, unbatched } = udp
  post({ type: 'ready', port, bufferBytes, ipv6: sockets.length > 1, unbatched })
}

/** Time for the close_notify of all transports to come back from the handshaker and leave. */
const FAREWELL_MS = 200

type Closing = {
  worker: MediaWorker
  handshaker: HandshakerPort
  udp: UdpSockets
  main: MessagePort
}

function close({ worker, handshaker, udp, main }: Closing): void {
  worker.close()
  setTimeout(() => {
    handshaker.destroy()
    void udp.close().then(() => {
      main.postMessage({ type: 'closed' } satisfies FromWorker)
      main.close()
      process.exit(0)
    })
  }, FAREWELL_MS)
}

const main = parentPort
if (main !== null) {
  run(main, workerData as WorkerSetup).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error)
    main.postMessage({ type: 'unavailable', message } satisfies FromWorker)
    main.close()
  })
}
