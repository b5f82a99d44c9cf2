/**
 * The answering side of a handshake. Frames in, frames and at last an outcome out; no sockets. A stranger
 * costs one look into the book; only who is enrolled, or names a code that waits, is worth a signature.
 */
import type { SrtpMaster } from '../../core/io/index.ts'
import type { Refused } from './child-handshake.ts'
import { sameBytes, textOf } from './fields.ts'
import {
  cutDetail,
  type HandshakeInput,
  type HandshakeMessage,
  handshakeTypeOf,
  openHandshake,
  parseHandshake,
  TRUNK_VERSIONS,
  writeHandshake,
} from './handshake-messages.ts'
import { deriveConfirmation, deriveMediaKeys } from './media-keys.ts'
import type { Primitives, Signer } from './primitives.ts'
import type { RefusalReason } from './refusals.ts'
import { Transcript } from './transcript.ts'

/** Who somebody says to be; proven once it is handed to `accept`. */
export type Claim = Pick<
  HandshakeMessage<'hello'>,
  'nodeId' | 'name' | 'program' | 'epoch' | 'instance' | 'key' | 'code'
>

export type Refusal = { reason: RefusalReason; detail: string }

/** `verifier`: the key that must have signed for the enrolment code, when the claim needs one. */
export type Admission = { name: string; verifier?: Uint8Array }

/** What only the node knows of the session to be. */
export type WelcomeTerms = Omit<HandshakeInput<'welcome'>, 'type' | 'confirmation' | 'name'>

export type ParentHandshakeOptions = {
  primitives: Primitives
  self: { nodeId: string; name: string; program: string }
  signer: Signer
  /** Of the certificate of our own door, lower-case hex; '' without TLS. */
  fingerprint: string
  /** Node ids from our upstream to the top. */
  path: readonly string[]
  /** Whether such a claim may be proven at all. Changes nothing. */
  consider: (claim: Claim) => Admission | Refusal
  /** The claim is proven: uses up its code, takes note of its epoch. */
  accept: (claim: Claim, admission: Admission) => WelcomeTerms | Refusal
}

/** Who has come, under which terms. */
export type Accepted = {
  claim: Claim
  name: string
  terms: WelcomeTerms
  media: { up: SrtpMaster; down: SrtpMaster }
  version: number
}

export type ParentStep =
  | { kind: 'more'; frames: Uint8Array[] }
  | { kind: 'accepted'; frames: Uint8Array[]; accepted: Accepted }
  | Refused

type State = 'hello' | 'child-proof' | 'over'

/** Used once. */
export class ParentHandshake {
  readonly #options: ParentHandshakeOptions
  readonly #transcript: Transcript
  #state: State = 'hello'
  #claim: Claim | undefined
  #admission: Admission = { name: '' }
  #secret: Uint8Array | undefined
  #version = 0

  constructor(options: ParentHandshakeOptions) {
    this.#options = options
    this.#transcript = new Transcript(options.primitives, options.fingerprint)
  }

  /** Who it says to be, for the log; undefined before its hello. */
  get claim(): Claim | undefined {
    return this.#claim
  }

  onFrame(frame: Uint8Array): ParentStep {
    const value = openHandshake(frame)
    const type = handshakeTypeOf(value)
    if (type === 'refused') return this.#onRefused(value)
    const state = this.#state
    if (state === 'over' || type !== state) return this.#refuse('malformed', `not a ${state}`)
    const step =
      state === 'hello'
        ? this.#onHello(parseHandshake('hello', value), frame)
        : this.#onProof(parseHandshake('child-proof', value), frame)
    return step ?? this.#refuse('malformed', `a ${state} with fields out of bounds`)
  }

  #onHello(
    hello: HandshakeMessage<'hello'> | undefined,
    frame: Uint8Array,
  ): ParentStep | undefined {
    if (hello === undefined) return undefined
    const { self, signer, path, consider, primitives } = this.#options
    this.#claim = hello
    const version = TRUNK_VERSIONS.find((known) => hello.versions.includes(known))
    if (version === undefined) {
      return this.#refuse('version', `we speak ${TRUNK_VERSIONS.join(', ')}`)
    }
    if (hello.nodeId === self.nodeId || sameBytes(hello.key, signer.publicKey)) {
      return this.#refuse('loop', 'that is this node itself')
    }
    if (path.includes(hello.nodeId)) return this.#refuse('loop', 'that node is above this one')
    const admission = consider(hello)
    if ('reason' in admission) return this.#refuse(admission.reason, admission.detail)
    const ephemeral = primitives.createEphemeral()
    this.#secret = ephemeral.agree(hello.ephemeral)
    if (this.#secret === undefined) return this.#refuse('malformed', 'a bad ephemeral key')
    this.#admission = admission
    this.#version = version
    this.#transcript.add(frame)
    const challenge = writeHandshake<'challenge'>({
      type: 'challenge',
      version,
      ...self,
      key: textOf(signer.publicKey),
      ephemeral: textOf(ephemeral.publicKey),
      nonce: textOf(primitives.randomBytes(32)),
    })
    this.#transcript.add(challenge)
    const proof = writeHandshake<'parent-proof'>({
      type: 'parent-proof',
      signature: textOf(this.#transcript.sign('parent', signer)),
    })
    this.#transcript.add(proof)
    this.#state = 'child-proof'
    return { kind: 'more', frames: [challenge, proof] }
  }

  #onProof(
    proof: HandshakeMessage<'child-proof'> | undefined,
    frame: Uint8Array,
  ): ParentStep | undefined {
    const [claim, secret] = [this.#claim, this.#secret]
    if (proof === undefined || claim === undefined || secret === undefined) return undefined
    if (!this.#transcript.isSignedBy('child', claim.key, proof.signature)) {
      return this.#refuse('bad-signature', 'not signed by the key of its hello')
    }
    const { verifier, name } = this.#admission
    if (verifier !== undefined) {
      const { enrolment } = proof
      const isProven =
        enrolment !== undefined && this.#transcript.isSignedBy('enrolment', verifier, enrolment)
      if (!isProven) return this.#refuse('bad-code', 'no proof of the enrolment code')
    }
    const terms = this.#options.accept(claim, this.#admission)
    if ('reason' in terms) return this.#refuse(terms.reason, terms.detail)
    this.#transcript.add(frame)
    this.#state = 'over'
    const confirmation = textOf(deriveConfirmation(this.#transcript, secret))
    const welcome = writeHandshake<'welcome'>({ type: 'welcome', confirmation, name, ...terms })
    const media = deriveMediaKeys(this.#transcript, secret)
    const accepted: Accepted = { claim, name, terms, media, version: this.#version }
    return { kind: 'accepted', frames: [welcome], accepted }
  }

  #onRefused(value: unknown): Refused {
    const refused = parseHandshake('refused', value)
    this.#state = 'over'
    const { reason, detail } = refused ?? {
      reason: 'malformed',
      detail: 'a refusal without reason',
    }
    return { kind: 'refused', reason, detail, byPeer: true, proven: false, frames: [] }
  }

  #refuse(reason: RefusalReason, text: string): Refused {
    this.#state = 'over'
    const detail = cutDetail(text)
    const frame = writeHandshake<'refused'>({ type: 'refused', reason, detail })
    return { kind: 'refused', reason, detail, byPeer: false, proven: false, frames: [frame] }
  }
}
