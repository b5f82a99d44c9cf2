/** Reads the browser's statistics at an even pace and joins them with the server's view. Judges nothing itself. */
import type { Cancel, Environment } from './environment.ts'
import { STATISTICS_INTERVAL_MS } from './limits.ts'
import type { ServerQuality } from './messages.ts'
import type { StreamQuality } from './quality.ts'
import { combineQuality } from './quality.ts'
import type { Reading, StreamStatistics } from './statistics.ts'
import { read, summarise } from './statistics.ts'

export type MonitorOptions = {
  environment: Environment
  connection: () => RTCPeerConnection | undefined
  onStatistics: (statistics: readonly StreamStatistics[]) => void
  onQuality: (quality: StreamQuality[]) => void
}

const nothing = (): void => {}

export class Monitor {
  readonly #options: MonitorOptions
  #server: readonly ServerQuality[] = []
  #statistics: readonly StreamStatistics[] = []
  #reading: Reading | undefined
  #readingOf: RTCPeerConnection | undefined
  #cancel: Cancel = nothing
  #stopped = false

  constructor(options: MonitorOptions) {
    this.#options = options
    this.#plan()
  }

  /** The last statistics. */
  get statistics(): readonly StreamStatistics[] {
    return this.#statistics
  }

  serverSays(streams: readonly ServerQuality[]): void {
    this.#server = streams
    this.#options.onQuality(combineQuality(this.#statistics, this.#server))
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #plan(): void {
    this.#cancel = this.#options.environment.after(STATISTICS_INTERVAL_MS, () => {
      // A connection that closes meanwhile refuses; the next reading is of its successor.
      void this.#read()
        .catch(nothing)
        .finally(() => {
          if (!this.#stopped) this.#plan()
        })
    })
  }

  async #read(): Promise<void> {
    const connection = this.#options.connection()
    if (connection === undefined) return
    const now = read(await connection.getStats(), this.#options.environment.nowMs())
    if (this.#stopped) return
    this.#statistics = summarise(this.#readingOf === connection ? this.#reading : undefined, now)
    this.#reading = now
    this.#readingOf = connection
    this.#options.onStatistics(this.#statistics)
    this.#options.onQuality(combineQuality(this.#statistics, this.#server))
  }
}
