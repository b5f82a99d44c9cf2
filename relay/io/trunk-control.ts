/**
 * The control flows of one node: its key, its book of relays, the door for its children and, on a relay, the
 * way up. For the composition root; what is said over the sessions is the desk's and the log exchange's.
 */
import type { Clock, Log } from '../../core/io/index.ts'
import { type TokenKeyJwk, TrunkNumbers, type TrunkSession } from '../control/index.ts'
import {
  isUpstreamKey,
  loadNodeKey,
  nextEpoch,
  pinUpstream,
  primitives,
  RelayBook,
  readUpstream,
  UpstreamError,
} from '../identity/index.ts'
import { type OpenChildDoor, openChildDoor } from './child-door.ts'
import { fingerprintOfFile } from './tls-fingerprint.ts'
import type { TrunkSelf, Upstream } from './upstream-contract.ts'
import { dialUpstream } from './upstream-dial.ts'

export type TrunkControlOptions = {
  dataDir: string
  /** Whether to dial the upstream that the data folder names. */
  asRelay: boolean
  self: TrunkSelf
  /** PEM file of the certificate that relays see at our door; '' when it speaks no TLS. */
  certificateFile: string
  /**
   * Where children's media flows go: `address` '' = the one that was dialled; port 0 = through the WebSocket
   * only.
   */
  media: () => { address: string; port: number }
  /** UDP port of the upstream's media where it is not the one that it names; 0 = it is. */
  upstreamMediaPort: number
  /** Our issuer's keys; a relay hands on those of its upstream beside them. */
  tokenKeys: readonly TokenKeyJwk[]
  /** Of the trunks to children, ms. */
  leaseMs: number
  clock: Clock
  log: Log
  /** Up or down. Sets the session's callbacks before it returns. */
  onSession: (session: TrunkSession) => void
}

/** The control flows of a node that runs. */
export interface TrunkControl {
  readonly children: OpenChildDoor
  /** Undefined on a core, and before `start`. */
  readonly upstream: Upstream | undefined
  /** Dials, when this is a relay: once all that a session needs stands. */
  start(): void
  /** Ends all sessions in order. Idempotent. */
  close(): Promise<void>
}

/**
 * Reads keys and books, making the key where missing. Throws when the data folder does not give them, or a
 * relay was never told of an upstream.
 */
export function openTrunkControl(options: TrunkControlOptions): TrunkControl {
  const { dataDir, certificateFile, asRelay, self, clock, log, upstreamMediaPort } = options
  const signer = loadNodeKey(dataDir)
  let record = asRelay ? readUpstream(dataDir) : undefined
  if (asRelay && record === undefined) {
    throw new UpstreamError('which upstream? --upstream wss://HOST[:PORT] --enrol CODE, once')
  }
  const random = primitives.randomBytes
  const numbers = new TrunkNumbers(() => Buffer.from(random(4)).readUInt32LE())
  const fingerprint = certificateFile === '' ? '' : fingerprintOfFile(certificateFile)
  const children = openChildDoor({
    ...options,
    signer,
    book: new RelayBook(dataDir),
    numbers,
    fingerprint: () => fingerprint,
  })
  let upstream: Upstream | undefined
  const start = (): void => {
    if (record === undefined || upstream !== undefined) return
    const { url, code } = record
    upstream = dialUpstream({
      url,
      self,
      signer,
      epoch: nextEpoch(dataDir),
      code,
      mediaPort: upstreamMediaPort,
      isPinned: (key) => record !== undefined && isUpstreamKey(record, key),
      onEnrolled: (key) => {
        record = pinUpstream(dataDir, key)
        log.info({ event: 'enrolled', url }, 'this relay is enrolled: its upstream is pinned')
      },
      numbers,
      clock,
      log,
      random: () => Buffer.from(random(4)).readUInt32LE() / 2 ** 32,
      onSession: options.onSession,
      onPath: (path) => children.setPath(path),
    })
  }
  return {
    children,
    get upstream() {
      return upstream
    },
    start,
    close: async () => {
      children.close()
      await upstream?.close()
    },
  }
}
