/**
 * The dialling side of a handshake. Frames in, frames and at last an outcome out; no sockets. It says nothing
 * that matters before the parent has proven to hold the pinned key over this very TLS certificate. What a
 * parent says before that is a hint for the log and changes nothing that is kept.
 */
import { TRUNK_DEPTH_MAX } from '../../config/limits.ts'
import type { SrtpMaster } from '../../core/io/index.ts'
import { sameBytes, textOf } from './fields.ts'
import {
  cutDetail,
  type HandshakeMessage,
  handshakeTypeOf,
  openHandshake,
  parseHandshake,
  TRUNK_VERSIONS,
  writeHandshake,
} from './handshake-messages.ts'
import { deriveConfirmation, deriveMediaKeys } from './media-keys.ts'
import type { Ephemeral, Primitives, Signer } from './primitives.ts'
import type { RefusalReason } from './refusals.ts'
import { Transcript } from './transcript.ts'

export type ChildHandshakeOptions = {
  primitives: Primitives
  self: { nodeId: string; name: string; program: string }
  signer: Signer
  /** Of this start of the program. */
  epoch: number
  /** 16 random bytes of this start of the program. */
  instance: Uint8Array
  /** SHA-256 of the TLS certificate that we see, lower-case hex; '' without TLS. */
  fingerprint: string
  /** Whether this key is the upstream's. */
  isPinned: (parentKey: Uint8Array) => boolean
  /** The code that enrols us: its public id and its key. */
  enrolment?: { id: Uint8Array; signer: Signer }
}

/** All that a child knows when it is welcome. */
export type Welcomed = {
  parent: { nodeId: string; name: string; program: string; key: Uint8Array }
  welcome: HandshakeMessage<'welcome'>
  media: { up: SrtpMaster; down: SrtpMaster }
  version: number
}

/** `byPeer`: the other side has refused us. `proven`: it had shown its key before, so it may be believed. */
export type Refused = {
  kind: 'refused'
  reason: RefusalReason
  detail: string
  byPeer: boolean
  proven: boolean
  /** To be sent before the socket is closed. */
  frames: Uint8Array[]
}

export type ChildStep =
  | { kind: 'more'; frames: Uint8Array[] }
  | { kind: 'welcomed'; welcomed: Welcomed }
  | Refused

type State = 'challenge' | 'parent-proof' | 'welcome' | 'over'

/** Used once. */
export class ChildHandshake {
  readonly #options: ChildHandshakeOptions
  readonly #transcript: Transcript
  readonly #ephemeral: Ephemeral
  readonly #hello: Uint8Array
  #state: State = 'challenge'
  #challenge: HandshakeMessage<'challenge'> | undefined
  #secret: Uint8Array | undefined

  constructor(options: ChildHandshakeOptions) {
    this.#options = options
    const { primitives, self, signer, epoch, instance, enrolment } = options
    this.#ephemeral = primitives.createEphemeral()
    this.#transcript = new Transcript(primitives, options.fingerprint)
    this.#hello = writeHandshake<'hello'>({
      type: 'hello',
      versions: [...TRUNK_VERSIONS],
      ...self,
      epoch,
      instance: textOf(instance),
      key: textOf(signer.publicKey),
      ephemeral: textOf(this.#ephemeral.publicKey),
      nonce: textOf(primitives.randomBytes(32)),
      ...(enrolment === undefined ? {} : { code: textOf(enrolment.id) }),
    })
    this.#transcript.add(this.#hello)
  }

  /** The first frame. */
  get hello(): Uint8Array {
    return this.#hello
  }

  onFrame(frame: Uint8Array): ChildStep {
    const value = openHandshake(frame, this.#state === 'welcome')
    const type = handshakeTypeOf(value)
    if (type === 'refused') return this.#onRefused(value)
    const state = this.#state
    if (state === 'over' || type !== state) return this.#refuse('malformed', `not a ${state}`)
    const step = this.#take(state, value, frame)
    return step ?? this.#refuse('malformed', `a ${state} with fields out of bounds`)
  }

  #take(state: Exclude<State, 'over'>, value: unknown, frame: Uint8Array): ChildStep | undefined {
    switch (state) {
      case 'challenge':
        return this.#onChallenge(parseHandshake('challenge', value), frame)
      case 'parent-proof':
        return this.#onProof(parseHandshake('parent-proof', value), frame)
      case 'welcome':
        return this.#onWelcome(parseHandshake('welcome', value))
    }
  }

  #onChallenge(
    challenge: HandshakeMessage<'challenge'> | undefined,
    frame: Uint8Array,
  ): ChildStep | undefined {
    if (challenge === undefined) return undefined
    const { signer, self, isPinned } = this.#options
    if (!TRUNK_VERSIONS.includes(challenge.version)) {
      return this.#refuse('version', `it speaks version ${challenge.version}`)
    }
    // Our own words coming back: a mirror, or this very node under another address.
    const isMirror = sameBytes(challenge.ephemeral, this.#ephemeral.publicKey)
    if (
      isMirror ||
      challenge.nodeId === self.nodeId ||
      sameBytes(challenge.key, signer.publicKey)
    ) {
      return this.#refuse('loop', 'the upstream is this node itself')
    }
    if (!isPinned(challenge.key)) {
      return this.#refuse('wrong-core', 'its key is not the one that this relay was enrolled with')
    }
    this.#secret = this.#ephemeral.agree(challenge.ephemeral)
    if (this.#secret === undefined) return this.#refuse('malformed', 'a bad ephemeral key')
    this.#challenge = challenge
    this.#transcript.add(frame)
    this.#state = 'parent-proof'
    return { kind: 'more', frames: [] }
  }

  #onProof(
    proof: HandshakeMessage<'parent-proof'> | undefined,
    frame: Uint8Array,
  ): ChildStep | undefined {
    const challenge = this.#challenge
    if (proof === undefined || challenge === undefined) return undefined
    if (!this.#transcript.isSignedBy('parent', challenge.key, proof.signature)) {
      const detail =
        'the upstream vouches for another TLS certificate, or the dial was tampered with'
      return this.#refuse('bad-signature', detail)
    }
    this.#transcript.add(frame)
    const { signer, enrolment } = this.#options
    const answer = writeHandshake<'child-proof'>({
      type: 'child-proof',
      signature: textOf(this.#transcript.sign('child', signer)),
      ...(enrolment === undefined
        ? {}
        : { enrolment: textOf(this.#transcript.sign('enrolment', enrolment.signer)) }),
    })
    this.#transcript.add(answer)
    this.#state = 'welcome'
    return { kind: 'more', frames: [answer] }
  }

  #onWelcome(welcome: HandshakeMessage<'welcome'> | undefined): ChildStep | undefined {
    const [challenge, secret] = [this.#challenge, this.#secret]
    if (welcome === undefined || challenge === undefined || secret === undefined) return undefined
    if (!sameBytes(welcome.confirmation, deriveConfirmation(this.#transcript, secret))) {
      return this.#refuse('bad-signature', 'it derived other keys')
    }
    const { nodeId } = this.#options.self
    if (welcome.path.includes(nodeId))
      return this.#refuse('loop', 'this node is above the upstream')
    if (welcome.path[0] !== challenge.nodeId) return undefined
    if (welcome.path.length + 1 > TRUNK_DEPTH_MAX) {
      return this.#refuse('too-deep', `${welcome.path.length} nodes above`)
    }
    this.#state = 'over'
    const { name, program, key, version } = challenge
    const parent = { nodeId: challenge.nodeId, name, program, key }
    const media = deriveMediaKeys(this.#transcript, secret)
    return { kind: 'welcomed', welcomed: { parent, welcome, media, version } }
  }

  #onRefused(value: unknown): Refused {
    const refused = parseHandshake('refused', value)
    const proven = this.#state === 'welcome'
    this.#state = 'over'
    const { reason, detail } = refused ?? {
      reason: 'malformed',
      detail: 'a refusal without reason',
    }
    return { kind: 'refused', reason, detail, byPeer: true, proven, frames: [] }
  }

  #refuse(reason: RefusalReason, text: string): Refused {
    const proven = this.#state === 'welcome'
    this.#state = 'over'
    const detail = cutDetail(text)
    const frame = writeHandshake<'refused'>({ type: 'refused', reason, detail })
    return { kind: 'refused', reason, detail, byPeer: false, proven, frames: [frame] }
  }
}
