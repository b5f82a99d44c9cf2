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

/** Loads one page; resolves when its time is over. Never rejects for what the server does. */
export async function loadPage({
  url,
  connections,
  seconds,
  perSecond,
}: PagePlan): Promise<PageSeen> {
  const responses = newHistogram()
  const rate = perSecond === undefined ? {} : { overallRate: perSecond }
  const run = autocannon({ url, connections, duration: seconds, ...rate })
  run.on('response', (_client, _status, _bytes, responseMs) => recordMs(responses, responseMs))
  const result = await run
  return {
    requests: result.requests.total,
    seconds: result.duration,
    errors: result.errors + result.non2xx,
    responses,
  }
}
