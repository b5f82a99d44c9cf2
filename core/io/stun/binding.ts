/**
 * What an ICE-lite agent makes of one Binding request (RFC 8445 §7.3, RFC 8489 §6.3.1): pure judgement and the
 * answer's bytes. Not a table of peers: the mux finds whose request it is by `localUfragOf` and keeps the 5-tuples.
 */
import type { KeyObject } from 'node:crypto'
import { BINDING_REQUEST, type StunMessage, verifyIntegrity } from './message.ts'
import { type MappedAddress, writeBindingError, writeBindingSuccess } from './write.ts'

/** Credentials of one transport. `key` is its local password, as a KeyObject because raw keys cost 9 us a MAC. */
export type IceIdentity = { localUfrag: string; remoteUfrag: string; key: KeyObject }

/**
 * `accepted`: authentic and usable, a success answer is due. `role-conflict` and `unknown-attribute`: authentic,
 * an error answer is due. The others get silence.
 */
export type BindingVerdict =
  | 'accepted'
  | 'role-conflict'
  | 'unknown-attribute'
  | 'not-request'
  | 'bad-username'
  | 'bad-integrity'

/** The part of USERNAME that names our side, or empty when there is no colon. */
export function localUfragOf(message: StunMessage): string {
  const colon = message.username.indexOf(':')
  return colon < 0 ? '' : message.username.slice(0, colon)
}

/** Judges `message` against the identity that `localUfragOf` found. Integrity comes before all that would answer. */
export function judgeBinding(message: StunMessage, identity: IceIdentity): BindingVerdict {
  if (message.type !== BINDING_REQUEST) return 'not-request'
  if (message.username !== `${identity.localUfrag}:${identity.remoteUfrag}`) return 'bad-username'
  if (!verifyIntegrity(message, identity.key)) return 'bad-integrity'
  if (message.unknownRequired.length > 0) return 'unknown-attribute'
  // We are lite and controlled for good; a full peer that says the same must change (RFC 8445 §6.1.1, §7.3.1.1).
  return message.role === 'controlled' ? 'role-conflict' : 'accepted'
}

/** The answer that a verdict deserves, or undefined for silence. */
export function answerBinding(
  message: StunMessage,
  verdict: BindingVerdict,
  to: { mapped: MappedAddress; key: KeyObject },
): Buffer | undefined {
  switch (verdict) {
    case 'accepted':
      return writeBindingSuccess(message, to.mapped, to.key)
    case 'role-conflict':
      return writeBindingError(message, { code: 487, reason: 'Role Conflict', unknown: [] }, to.key)
    case 'unknown-attribute': {
      const unknown = message.unknownRequired
      return writeBindingError(message, { code: 420, reason: 'Unknown Attribute', unknown }, to.key)
    }
    case 'not-request':
    case 'bad-username':
    case 'bad-integrity':
      return undefined
  }
}
