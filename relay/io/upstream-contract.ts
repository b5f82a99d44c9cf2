/** What main.ts hands to the dialer and the door for children, and what the desk gets of them. */
import type { SessionEnd, TokenKeyJwk, TrunkSession } from '../control/index.ts'

/** What both sides of a handshake say of themselves. */
export type TrunkSelf = {
  nodeId: string
  /** How this node calls itself. */
  name: string
  /** Version of the program. */
  program: string
}

/** The way up, dialled again for ever until closed. */
export interface Upstream {
  readonly url: string
  readonly session: TrunkSession | undefined
  /** Why there is no session now; undefined while there is. `unreachable`: nobody answered. */
  readonly failure: { reason: SessionEnd | 'unreachable'; detail: string } | undefined
  /** Dials at once when it is waiting. */
  tryNow(): void
  /** Ends the session in order. Idempotent. */
  close(): Promise<void>
}

/** Where children come in. */
export interface ChildDoor {
  readonly sessions: ReadonlySet<TrunkSession>
  /** Node ids from this node's upstream to the top: told to children now and to those that come. */
  setPath(path: readonly string[]): void
  /** Told to children now and to those that come. */
  setTokenKeys(keys: readonly TokenKeyJwk[]): void
  close(): void
}
