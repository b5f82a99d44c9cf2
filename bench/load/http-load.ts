/** One page under autocannon: requests by so many connections for so long. */
import autocannon from 'autocannon'
import type { Histogram } from 'hdr-histogram-js'
import { newHistogram, recordMs } from './histograms.ts'

export type PagePlan = {
  url: string
  connections: number
  seconds: number
  /** Requests a second in all; undefined: as many as there come. */
  perSecond?: number
}

export type PageSeen = {
  requests: number
  seconds: number
  /** Refused connections, timeouts and statuses other than 2xx. */
  errors: number
  responses: Histogram
}

export type PageLoad = {
  /** Resolves when its time is over; never rejects for what the server does. */
  seen: Promise<PageSeen>
  /** Ends it now; `seen` resolves soon with what there was. */
  stop: () => void
}

/** Loads one page from now on. */
export function loadPage({ url, connections, seconds, perSecond }: PagePlan): PageLoad {
  const responses = newHistogram()
  const rate = perSecond === undefined ? {} : { overallRate: perSecond }
  const run = autocannon({ url, connections, duration: seconds, ...rate })
  run.on('response', (_client, _status, _bytes, responseMs) => recordMs(responses, responseMs))
  const seen = run.then((result) => ({
    requests: result.requests.total,
    seconds: result.duration,
    errors: result.errors + result.non2xx,
    responses,
  }))
  return { seen, stop: () => run.stop() }
}

/** All pages of a plan: started when asked, told in the end. */
export class PageLoads {
  readonly #loads = new Map<string, PageLoad>()

  start(id: string, plan: PagePlan): void {
    this.#loads.set(id, loadPage(plan))
  }

  /** Ends what still runs. Sums and histograms of all, under `http.<id>`. */
  async finish(): Promise<{ sums: Record<string, number>; histograms: Map<string, Histogram> }> {
    const sums: Record<string, number> = {}
    const histograms = new Map<string, Histogram>()
    for (const [id, load] of this.#loads) {
      load.stop()
      const { requests, seconds, errors, responses } = await load.seen
      sums[`http.${id}.requests`] = requests
      sums[`http.${id}.errors`] = errors
      sums[`max.http.${id}.seconds`] = seconds
      histograms.set(`http.${id}`, responses)
    }
    return { sums, histograms }
  }
}
