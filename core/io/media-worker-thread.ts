/**
 * Entry of a media worker's thread: binds the sockets, makes the parts, and turns timers and messages into calls of
 * `MediaWorker`. Started by media-plane-worker.ts with a WorkerSetup. Nothing is decided here.
 */
import { randomFillSync } from 'node:crypto'
import type { Socket } from 'node:dgram'
import { performance } from 'node:perf_hooks'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { Engine } from '../media/engine/index.ts'
import { systemClock } from './clock.ts'
import { HandshakerPort } from './dtls/index.ts'
import { MediaWorker } from './media-worker.ts'
import type { FromWorker, ToWorker, WorkerSetup } from './media-worker-protocol.ts'
import { type LoopFigures, writeSnapshot } from './media-worker-snapshot.ts'
import { createHmacSha1 } from './srtp/index.ts'
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
  setInterval(() => post(writeSnapshot(worker, deadline.takeFigures(udp.sockets))), SNAPSHOT_MS)
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

/** One timer for whatever is due next, and how late it was. */
class Deadline {
  readonly #worker: MediaWorker
  #timer: NodeJS.Timeout | undefined
  #armedMs = Number.POSITIVE_INFINITY
  #stallMs = 0
  #utilization = performance.eventLoopUtilization()

  constructor(worker: MediaWorker) {
    this.#worker = worker
  }

  /** Moves the timer when something is due before it; firing too early costs less than moving it back. */
  arm(): void {
    const nextMs = this.#worker.nextDeadlineMs()
    if (nextMs >= this.#armedMs) return
    clearTimeout(this.#timer)
    this.#armedMs = nextMs
    const waitMs = Math.max(0, Math.ceil(nextMs - systemClock.nowMs()))
    this.#timer = setTimeout(() => this.#fire(), waitMs)
  }

  /** Figures since the last call. */
  takeFigures(sockets: readonly Socket[]): LoopFigures {
    const before = this.#utilization
    this.#utilization = performance.eventLoopUtilization()
    const cpuRatio = performance.eventLoopUtilization(this.#utilization, before).utilization
    const stallMs = this.#stallMs
    this.#stallMs = 0
    const sendQueue = sockets.reduce((sum, socket) => sum + socket.getSendQueueCount(), 0)
    return { stallMs, cpuRatio, sendQueue }
  }

  #fire(): void {
    const nowMs = systemClock.nowMs()
    this.#stallMs = Math.max(this.#stallMs, nowMs - this.#armedMs)
    this.#armedMs = Number.POSITIVE_INFINITY
    // It may have woken a fraction of a millisecond early.
    if (this.#worker.nextDeadlineMs() <= nowMs) this.#worker.onDeadline()
    this.arm()
  }
}

const randomWords = new Uint32Array(256)
let randomUsed = randomWords.length

function randomUint32(): number {
  if (randomUsed === randomWords.length) {
    randomFillSync(randomWords)
    randomUsed = 0
  }
  return randomWords[randomUsed++]!
}

const main = parentPort
if (main !== null) {
  run(main, workerData as WorkerSetup).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error)
    main.postMessage({ type: 'unavailable', message } satisfies FromWorker)
    main.close()
  })
}
