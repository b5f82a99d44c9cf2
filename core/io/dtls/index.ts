/**
 * Door of the DTLS folder: the handshaker behind the gate (docs/adr/0004-dtls-gate.md). Only this
 * folder imports werift, and only threads that call `startHandshaker` or `loadDtls` pay for it:
 * media workers take `HandshakerPort` alone.
 */
export type { DtlsClientSession } from './client.ts'
export type { HandshakeEvent, HandshakerStats, SrtpKeys, SrtpProfile } from './handshake.ts'
export { HandshakerPort } from './handshaker-port.ts'
export { type HandshakerThread, startHandshaker } from './handshaker-thread.ts'
export type { DtlsIdentity } from './identity.ts'

/** DTLS on the calling thread: clients for load and tests, and the handshaker itself where one thread must do. */
export const loadDtls = async () => {
  const [{ DtlsClientSession }, { Handshaker }, { createDtlsIdentity }] = await Promise.all([
    import('./client.ts'),
    import('./handshaker.ts'),
    import('./identity.ts'),
  ])
  return { DtlsClientSession, Handshaker, createDtlsIdentity }
}
