/**
 * A real trunk thread with a media worker's end played by the test, and a UDP path in between that the test rules.
 * Not shipped.
 */
import { createSocket, type Socket } from 'node:dgram'
import { MessageChannel } from 'node:worker_threads'
import { PACKET_RING_BYTES } from '../../config/index.ts'
import { WorkerLink } from '../../core/io/carriers.ts'
import { createLog } from '../../core/io/index.ts'
import { createRingMemory } from '../../core/io/packet-ring.ts'
import type { MediaReport } from '../../core/media/control.ts'
import type { FromTrunkThread } from '../media-port.ts'
import type { TrunkStreamSpec } from '../trunk/contract.ts'
import { startTrunkThread, type TrunkThread } from './trunk-thread-host.ts'

const WORKER = 0
const PATIENCE_MS = 40_000

export async function until(done: () => boolean, act: () => void = () => undefined): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  while (!done()) {
    if (performance.now() > endMs) throw new Error(`not within ${PATIENCE_MS} ms: ${done}`)
    act()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** One node: its trunk thread, and worker 0 of its media plane. */
export class Station {
  readonly thread: TrunkThread
  readonly link: WorkerLink
  readonly told: FromTrunkThread[] = []
  readonly reports: MediaReport[] = []
  readonly frames: Uint8Array[] = []
  readonly asked: string[] = []
  ended = 0
  restarted = 0
  onWant: (publicationId: number, layerMask: number) => void = () => undefined
  onKeyframe: (publicationId: number, layer: number) => void = () => undefined

  static async start(entry?: URL): Promise<Station> {
    const log = createLog('silent')
    const more = entry === undefined ? {} : { entry }
    return new Station(await startTrunkThread({ port: 0, batching: true, log, ...more }))
  }

  private constructor(thread: TrunkThread) {
    this.thread = thread
    thread.onMessage = (message) => this.told.push(message)
    thread.peer.watch({
      onReports: (reports) => this.reports.push(...reports),
      onEnded: () => {
        this.ended += 1
      },
      onRestarted: () => {
        this.restarted += 1
      },
    })
    const { port1, port2 } = new MessageChannel()
    const outgoing = createRingMemory(PACKET_RING_BYTES)
    const incoming = createRingMemory(PACKET_RING_BYTES)
    const far = { peer: WORKER, port: port1, outgoing: incoming, incoming: outgoing }
    thread.peer.post({ type: 'link', link: far }, [port1])
    this.link = new WorkerLink(
      { peer: 1, port: port2, outgoing, incoming },
      {
        onFrame: (bytes, end) => this.frames.push(bytes.slice(0, end)),
        onKeyframeWanted: (_peer, publicationId, layer) => {
          this.asked.push(`keyframe ${publicationId}.${layer}`)
          this.onKeyframe(publicationId, layer)
        },
        onLayersWanted: (_peer, publicationId, layerMask) => {
          this.asked.push(`want ${publicationId} ${layerMask}`)
          this.onWant(publicationId, layerMask)
        },
      },
    )
  }

  /** The worker receives this publication, and it is offered on trunk 1. */
  offer(publicationId: number, spec: TrunkStreamSpec): void {
    const { kind, use, layerCount, codec, payloadType, clockRate } = spec
    const codecs = [{ codec, payloadType, clockRate }]
    const publication = { publicationId, kind, use, codecs, layerCount }
    this.thread.peer.post({ type: 'import', roomId: 1, publication, peer: WORKER })
    const place = { room: 1, place: kind === 'audio' ? 'heard' : 'main', emergency: false } as const
    this.thread.post({ type: 'offer', trunkId: 1, publicationId, spec, place })
  }

  /** A stream of the far end of trunk 1 is this publication, which the worker may want. */
  expect(publicationId: number, spec: TrunkStreamSpec): void {
    this.thread.post({ type: 'expect', trunkId: 1, publicationId, spec })
    this.thread.peer.post({ type: 'export', publicationId, peer: WORKER })
  }

  heard(): boolean {
    return this.told.some((message) => message.type === 'trunk-heard' && message.heard)
  }

  path(): string | undefined {
    const reports = this.told.filter((message) => message.type === 'trunk-report')
    return reports.at(-1)?.path
  }

  async close(): Promise<void> {
    this.link.close()
    await this.thread.close()
  }
}

/** What stands between a child and its core: a NAT that may give it another port, or block it. */
export class NatBox {
  blocked = false
  readonly #inside: Socket
  #outside: Socket | undefined
  #child: { address: string; port: number } | undefined
  readonly #corePort: number
  /** What went up last. */
  lastUp: Uint8Array = new Uint8Array(0)

  private constructor(corePort: number) {
    this.#corePort = corePort
    this.#inside = createSocket('udp4')
    this.#inside.on('message', (bytes, from) => {
      this.#child = from
      if (this.blocked) return
      this.lastUp = Uint8Array.from(bytes)
      this.#outside?.send(bytes, corePort, '127.0.0.1')
    })
  }

  static async open(corePort: number): Promise<NatBox> {
    const box = new NatBox(corePort)
    await new Promise<void>((resolve) => {
      box.#inside.bind(0, '127.0.0.1', resolve)
    })
    await box.rebind()
    return box
  }

  get port(): number {
    return this.#inside.address().port
  }

  get outsidePort(): number {
    return this.#outside!.address().port
  }

  /** From now on the core sees another port, and the old one leads nowhere. */
  async rebind(): Promise<void> {
    this.#outside?.close()
    const outside = createSocket('udp4')
    outside.on('message', (bytes) => {
      if (this.blocked || this.#child === undefined) return
      this.#inside.send(bytes, this.#child.port, this.#child.address)
    })
    await new Promise<void>((resolve) => {
      outside.bind(0, '127.0.0.1', resolve)
    })
    this.#outside = outside
  }

  /** A stranger's datagram to the core. */
  inject(bytes: Uint8Array): Promise<void> {
    const socket = createSocket('udp4')
    return new Promise((resolve) => {
      socket.send(bytes, this.#corePort, '127.0.0.1', () => socket.close(() => resolve()))
    })
  }

  close(): void {
    this.#inside.close()
    this.#outside?.close()
  }
}
