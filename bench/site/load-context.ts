/** What all synthetic sites of one process share: certificate, SRTP memory, sealing, sending. */
import type { DtlsClientSession, DtlsIdentity } from '../../core/io/dtls/index.ts'
import { loadDtls } from '../../core/io/dtls/index.ts'
import {
  createHmacSha1,
  createSrtpSender,
  type HmacSha1,
  type SrtpSender,
} from '../../core/io/srtp/index.ts'
import { createDropCounters } from '../../core/media/rtp/index.ts'
import type { LatencyHistograms } from './contract.ts'
import { createLatencies } from './latencies.ts'
import type { SiteLink } from './site-link.ts'

/** One per process. */
export type LoadContext = {
  hmac: HmacSha1
  drops: Uint32Array
  sender: SrtpSender
  dtlsIdentity: DtlsIdentity
  createDtls: (options: ConstructorParameters<typeof DtlsClientSession>[0]) => DtlsClientSession
  /** Token of `sender.addContext` to the link that sends for it. */
  links: Map<number, SiteLink>
  /** Of all sites that have none of their own. */
  latencies: LatencyHistograms
}

/** Loads DTLS (some 100 ms) and makes one certificate for all sites of this process. */
export async function createLoadContext(): Promise<LoadContext> {
  const dtls = await loadDtls()
  const hmac = createHmacSha1()
  const drops = createDropCounters()
  const links = new Map<number, SiteLink>()
  const sink = {
    // A copy: the socket may send later, and the slab's place would be used again by then.
    onSealed: (token: number, start: number, end: number) =>
      links.get(token)?.send(Uint8Array.prototype.slice.call(hmac.slab, start, end)),
    inFlightCount: () => 0,
  }
  return {
    hmac,
    drops,
    links,
    sender: createSrtpSender({ hmac, sink, drops }),
    dtlsIdentity: await dtls.createDtlsIdentity(),
    createDtls: (options) => new dtls.DtlsClientSession(options),
    latencies: createLatencies(),
  }
}
