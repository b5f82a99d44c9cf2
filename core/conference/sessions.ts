/**
 * Who is connected to this node, and who may still come back. Not part of the log: secrets are
 * never written, so after a restart of the node there is nothing to resume.
 */
import { SESSION_RESUME_MS } from '../../config/limits.ts'

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
const ID_BYTES = 10
const SECRET_BYTES = 20

export type RandomBytes = (count: number) => Uint8Array

export type Session = {
  readonly session: string
  readonly secret: string
  readonly participant: string
  readonly room: string
  connection: number
}

/** The sessions of a node; bounded by the participants that it admits. */
export class Sessions {
  readonly #random: RandomBytes
  readonly #byParticipant = new Map<string, Session>()
  readonly #bySession = new Map<string, Session>()
  /** Participant to deadline; all wait equally long, so the first is the earliest. */
  readonly #lost = new Map<string, number>()

  constructor(random: RandomBytes) {
    this.#random = random
  }

  /** An unused participant id: `p` and 80 random bits. */
  createParticipantId(): string {
    return `p${base32(this.#random(ID_BYTES))}`
  }

  open(participant: string, room: string, connection: number): Session {
    const session: Session = {
      session: `s${base32(this.#random(ID_BYTES))}`,
      secret: base32(this.#random(SECRET_BYTES)),
      participant,
      room,
      connection,
    }
    this.#byParticipant.set(participant, session)
    this.#bySession.set(session.session, session)
    return session
  }

  get(participant: string): Session | undefined {
    return this.#byParticipant.get(participant)
  }

  isConnected(participant: string): boolean {
    return this.#byParticipant.has(participant) && !this.#lost.has(participant)
  }

  get count(): number {
    return this.#byParticipant.size
  }

  /** Whose session this claims to be, before its secret is checked. */
  participantOf(claim: { session: string }): string | undefined {
    return this.#bySession.get(claim.session)?.participant
  }

  /** The session when the secret is right, now held by `connection`; undefined tells nothing about why. */
  resume(
    claim: { session: string; secret: string },
    connection: number,
    nowMs: number,
  ): Session | undefined {
    const session = this.#bySession.get(claim.session)
    if (session === undefined || !sameSecret(session.secret, claim.secret)) return undefined
    const deadlineMs = this.#lost.get(session.participant)
    if (deadlineMs !== undefined && deadlineMs <= nowMs) return undefined
    this.#lost.delete(session.participant)
    session.connection = connection
    return session
  }

  /** Starts the wait; a connection that was replaced meanwhile is ignored. */
  lose(participant: string, connection: number, nowMs: number): void {
    const session = this.#byParticipant.get(participant)
    if (session?.connection !== connection || this.#lost.has(participant)) return
    this.#lost.set(participant, nowMs + SESSION_RESUME_MS)
  }

  /** Participants whose wait is over; they stay due until removed. */
  due(nowMs: number): string[] {
    const due: string[] = []
    for (const [participant, deadlineMs] of this.#lost) {
      if (deadlineMs > nowMs) break
      due.push(participant)
    }
    return due
  }

  get deadlineMs(): number {
    const first = this.#lost.values().next()
    return first.done ? Number.POSITIVE_INFINITY : first.value
  }

  /** Forgets all sessions of a room; their participants. Cost grows with all sessions. */
  removeRoom(room: string): string[] {
    const gone: string[] = []
    for (const [participant, session] of this.#byParticipant) {
      if (session.room === room) gone.push(participant)
    }
    for (const participant of gone) this.remove(participant)
    return gone
  }

  /** Forgets; false when there was no session here. */
  remove(participant: string): boolean {
    const session = this.#byParticipant.get(participant)
    if (session === undefined) return false
    this.#byParticipant.delete(participant)
    this.#bySession.delete(session.session)
    this.#lost.delete(participant)
    return true
  }
}

function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += BASE32[(value >>> bits) & 31]
    }
    value &= 0xff
  }
  return bits === 0 ? text : text + BASE32[(value << (5 - bits)) & 31]
}

/** Takes as long for a wrong secret as for the right one. */
function sameSecret(secret: string, claim: string): boolean {
  if (secret.length !== claim.length) return false
  let difference = 0
  for (let index = 0; index < secret.length; index += 1) {
    difference |= secret.charCodeAt(index) ^ claim.charCodeAt(index)
  }
  return difference === 0
}
