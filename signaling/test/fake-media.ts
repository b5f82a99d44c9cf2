/**
 * For tests of the doors: a media plane that keeps the rules of control.ts and remembers what it
 * was told.
 */
import type {
  MediaCommand,
  MediaPlane,
  MediaReport,
  TransportSpec,
  TransportStats,
} from '../../core/media/control.ts'

export class FakeMedia implements MediaPlane {
  readonly fingerprint = { algorithm: 'sha-256', value: Array(32).fill('AB').join(':') }
  readonly commands: MediaCommand[] = []
  readonly open = new Map<number, TransportSpec>()
  onReport: (report: MediaReport) => void = () => {}
  readonly #reserved = new Set<number>()
  #transportIdLast = 0

  reserve(roomId: number): ReturnType<MediaPlane['reserve']> {
    if (roomId <= 0) throw new Error('a room id is a positive integer')
    const transportId = ++this.#transportIdLast
    this.#reserved.add(transportId)
    return {
      transportId,
      candidates: [
        { address: '127.0.0.1', port: 40_000 },
        { address: '::1', port: 40_000 },
      ],
    }
  }

  send(command: MediaCommand): void {
    structuredClone(command)
    this.commands.push(command)
    if (command.type === 'open') {
      const { transportId } = command.spec
      if (!this.#reserved.delete(transportId)) throw new Error('opened without a reservation')
      this.open.set(transportId, command.spec)
    }
    if (command.type === 'restart' && !this.open.has(command.transportId)) {
      throw new Error('restart of a transport that is not open')
    }
    if (command.type === 'close' && !this.open.delete(command.transportId)) {
      throw new Error('close of a transport that is not open')
    }
  }

  /** Commands of one type since the last call with it. */
  take<T extends MediaCommand['type']>(type: T): Extract<MediaCommand, { type: T }>[] {
    const taken = this.commands.filter((command) => command.type === type)
    const rest = this.commands.filter((command) => command.type !== type)
    this.commands.splice(0, this.commands.length, ...rest)
    return taken as Extract<MediaCommand, { type: T }>[]
  }

  stats(transportId: number): Promise<TransportStats | undefined> {
    if (!this.open.has(transportId)) return Promise.resolve(undefined)
    const figures = { rttMs: 20, bytesIn: 1, bytesOut: 2, packetsIn: 3, packetsOut: 4 }
    return Promise.resolve({ ...figures, availableBps: 500_000, streams: [] })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
