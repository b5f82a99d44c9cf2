/**
 * What the handshaker thread counts, as metrics. It is asked at each scrape; one that is too busy
 * to answer (a storm) shows what it last said. Labels are the closed sets of dtls/handshake.ts.
 */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { HandshakerStats } from './dtls/index.ts'

/** Asks the living handshaker; may reject. */
export type HandshakerSource = () => Promise<HandshakerStats>

/** The latest of the living handshaker, and the sums of those before it. */
export class HandshakeTotals {
  #source: HandshakerSource | undefined
  #latest: HandshakerStats | undefined
  readonly #refusedBefore = new Map<string, number>()
  readonly #droppedBefore = new Map<string, number>()

  constructor(registry: Registry) {
    this.#register(registry)
  }

  /** Another thread counts from now on, from zero. */
  watch(source: HandshakerSource): void {
    this.#source = source
    addTo(this.#refusedBefore, this.#latest?.refused)
    addTo(this.#droppedBefore, this.#latest?.recordsDropped)
    this.#latest = undefined
  }

  /** Before a scrape; never rejects. */
  async refresh(): Promise<void> {
    const source = this.#source
    const stats = await source?.().catch(() => undefined)
    // An answer of a thread that was replaced meanwhile would be counted twice.
    if (stats !== undefined && source === this.#source) this.#latest = stats
  }

  #register(registry: Registry): void {
    const totals = this
    new Counter({
      name: 'nhipcau_dtls_refused_total',
      help: 'DTLS handshakes that got no keys, by reason.',
      labelNames: ['reason'],
      registers: [registry],
      collect() {
        this.reset()
        const sums = addTo(new Map(totals.#refusedBefore), totals.#latest?.refused)
        for (const [reason, count] of sums) this.inc({ reason }, count)
      },
    })
    new Counter({
      name: 'nhipcau_dtls_records_dropped_total',
      help: 'DTLS records that the gate did not let through, by reason.',
      labelNames: ['reason'],
      registers: [registry],
      collect() {
        this.reset()
        const sums = addTo(new Map(totals.#droppedBefore), totals.#latest?.recordsDropped)
        for (const [reason, count] of sums) this.inc({ reason }, count)
      },
    })
    new Gauge({
      name: 'nhipcau_dtls_half_open',
      help: 'Handshakes between their first ClientHello and their end.',
      registers: [registry],
      collect() {
        this.set(totals.#latest?.halfOpen ?? 0)
      },
    })
    new Gauge({
      name: 'nhipcau_dtls_established',
      help: 'DTLS associations that stand.',
      registers: [registry],
      collect() {
        this.set(totals.#latest?.established ?? 0)
      },
    })
  }
}

function addTo(
  sums: Map<string, number>,
  counts: Readonly<Record<string, number>> | undefined,
): Map<string, number> {
  for (const [reason, count] of Object.entries(counts ?? {})) {
    sums.set(reason, (sums.get(reason) ?? 0) + count)
  }
  return sums
}
