/** What a hub needs of the node that it is part of. */
import type { Director } from '../../core/conference/index.ts'
import type { MediaPlane } from '../../core/media/control.ts'
import type { ConferenceHost } from '../../core/store/index.ts'
import type { TokenVerifier } from '../auth/index.ts'

export type HubOptions = {
  host: ConferenceHost
  media: MediaPlane
  createDirector: () => Director
  verify: TokenVerifier
  randomBytes: (count: number) => Uint8Array
  /** Name of this node, as people know it. */
  nodeName: string
  /** Dials the node above at once; absent on a node without one. */
  retryUpstream?: () => void
  /** Called for what must not happen; the connection concerned is ended, the process goes on. */
  onFault: (error: unknown) => void
}
