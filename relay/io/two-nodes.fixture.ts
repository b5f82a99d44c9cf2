/** A node without doors: its media plane and its trunk thread, and peers over real sockets. Not shipped. */
import {
  createLog,
  createMediaPlane,
  createMetrics,
  type NodeMediaPlane,
} from '../../core/io/index.ts'
import { TestPeer } from '../../core/io/test-peer.fixture.ts'
import type { ImportedPublication, MediaReport, Section } from '../../core/media/control.ts'
import { flowsOf } from './trunk-carrier.fixture.ts'
import { until } from './trunk-thread.fixture.ts'
import { startTrunkThread, type TrunkThread } from './trunk-thread-host.ts'

export class BareNode {
  readonly plane: NodeMediaPlane
  readonly trunk: TrunkThread
  readonly reports: MediaReport[] = []
  readonly peers: TestPeer[] = []

  static async start({
    workers = 1,
    entry,
  }: {
    workers?: number
    entry?: URL
  } = {}): Promise<BareNode> {
    const log = createLog('silent')
    const more = entry === undefined ? {} : { entry }
    const trunk = await startTrunkThread({ port: 0, batching: true, log, ...more })
    const plane = await createMediaPlane({
      workers,
      mediaPort: 0,
      batching: true,
      announcedIps: ['127.0.0.1'],
      log,
      metrics: createMetrics(),
      trunk: trunk.peer,
    })
    return new BareNode(plane, trunk)
  }

  private constructor(plane: NodeMediaPlane, trunk: TrunkThread) {
    this.plane = plane
    this.trunk = trunk
    plane.onReport = (report) => this.reports.push(report)
  }

  async join(roomId: number, sections: Section[]): Promise<TestPeer> {
    const { transportId, candidates } = this.plane.reserve(roomId)
    const { fingerprint } = this.plane
    const peer = await TestPeer.create({ transportId, roomId, candidates, fingerprint, sections })
    this.peers.push(peer)
    this.plane.send({ type: 'open', spec: peer.spec })
    await until(
      () => peer.stunAnswers > 0,
      () => peer.check(),
    )
    peer.startDtls()
    await until(
      () => peer.connected && this.reports.some((report) => isConnected(report, transportId)),
      () => peer.tick(),
    )
    return peer
  }

  /** Offers a publication of this node on trunk 1. */
  offer(publication: ImportedPublication, streamId: number): void {
    const { publicationId } = publication
    this.plane.letCross(publicationId, true)
    const place = { room: 1, place: 'heard', emergency: false } as const
    const spec = specOf(publication, streamId)
    this.trunk.post({ type: 'offer', trunkId: 1, publicationId, spec, place })
  }

  /** Takes in a publication that comes over trunk 1. */
  take(roomId: number, publication: ImportedPublication, streamId: number): void {
    const { publicationId } = publication
    this.plane.send({ type: 'import', roomId, publication })
    this.expect(publication, streamId)
    const assignment = { audio: [publicationId], main: 0, mainFallback: 0 }
    this.plane.send({ type: 'assign', roomId, assignment })
  }

  expect(publication: ImportedPublication, streamId: number): void {
    const { publicationId } = publication
    const spec = specOf(publication, streamId)
    this.trunk.post({ type: 'expect', trunkId: 1, publicationId, spec })
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.close()
    await this.plane.close()
    await this.trunk.close()
  }
}

export function connect(core: BareNode, child: BareNode): void {
  const flows = flowsOf({ address: '127.0.0.1', port: core.trunk.port })
  core.trunk.post({ type: 'open-trunk', flow: flows.core })
  child.trunk.post({ type: 'open-trunk', flow: flows.child })
}

function specOf({ kind, use, codecs, layerCount }: ImportedPublication, streamId: number) {
  const { codec, payloadType, clockRate } = codecs[0]!
  return { streamId, kind, use, codec, payloadType, clockRate, layerCount }
}

const isConnected = (report: MediaReport, transportId: number): boolean =>
  report.type === 'connected' && report.transportId === transportId
