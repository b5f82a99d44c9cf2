/**
 * A node's book of the relays that may hang on it, and of the codes that wait to be used: `relays.json` in the
 * data folder. The command line and the running node both write it, so each change is read, made and written
 * under a lock, and the node looks again whenever the file has changed. Decides who may come in; knows no
 * sockets.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import {
  ENROLMENT_CODE_KEPT_MS,
  ENROLMENT_CODES_MAX,
  NAME_CHARACTERS_MAX,
  RELAYS_ENROLLED_MAX,
} from '../../config/limits.ts'
import type { Admission, Claim, Refusal } from '../control/index.ts'
import { withBookLock } from './book-lock.ts'
import { createEnrolmentCode, enrolmentKeysOf, writeEnrolmentCode } from './enrolment-code.ts'
import { readPrivateFile, replaceFile } from './private-file.ts'

const BOOK_FILE = 'relays.json'

const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const relay = v.object({
  name: v.pipe(v.string(), v.maxLength(NAME_CHARACTERS_MAX)),
  /** Ed25519, base64url. */
  key: v.pipe(v.string(), v.length(43)),
  enrolledMs: natural,
  /** Highest epoch that was let in, and the start of the program that it belongs to. */
  epoch: natural,
  instance: v.string(),
  nodeId: v.string(),
  revokedMs: v.nullable(natural),
})
const code = v.object({
  id: v.string(),
  /** The public half of the code's key. */
  verifier: v.pipe(v.string(), v.length(43)),
  name: v.pipe(v.string(), v.maxLength(NAME_CHARACTERS_MAX)),
  createdMs: natural,
  expiresMs: natural,
  /** The key that has used it. */
  usedBy: v.nullable(v.string()),
})
const bookSchema = v.object({
  version: v.literal(1),
  relays: v.array(relay),
  codes: v.array(code),
})

export type EnrolledRelay = v.InferOutput<typeof relay>
type WaitingCode = v.InferOutput<typeof code>
type Pages = v.InferOutput<typeof bookSchema>

/** Thrown to the command line: what cannot be done, in words. */
export class RelayBookError extends Error {}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
const NOT_ENROLLED: Refusal = {
  reason: 'unknown-relay',
  detail: 'its key is not enrolled here: make a code with ./nhipcau enrol',
}

/** One per process and data folder. Methods throw when the disk refuses or the file is not a book. */
export class RelayBook {
  readonly #path: string
  #pages: Pages = { version: 1, relays: [], codes: [] }
  #stamp = ''

  constructor(dataDir: string) {
    this.#path = join(dataDir, BOOK_FILE)
    this.refresh()
  }

  /** Reads the file again if it has changed; whether it had. */
  refresh(): boolean {
    const found = statSync(this.#path, { throwIfNoEntry: false, bigint: true })
    const stamp = found === undefined ? '' : `${found.ino} ${found.mtimeNs} ${found.size}`
    if (stamp === this.#stamp) return false
    this.#pages = this.#read()
    this.#stamp = stamp
    return true
  }

  /** All that were ever enrolled and are remembered. */
  get relays(): readonly EnrolledRelay[] {
    return this.#pages.relays
  }

  /** Codes that could still be used at `wallMs`. */
  waitingCodes(wallMs: number): { name: string; expiresMs: number }[] {
    return this.#pages.codes
      .filter(({ usedBy, expiresMs }) => usedBy === null && expiresMs > wallMs)
      .map(({ name, expiresMs }) => ({ name, expiresMs }))
  }

  isGood(key: Uint8Array): boolean {
    return this.#relayOf(textOf(key))?.revokedMs === null
  }

  /** Makes a code and returns it as text; only its public half is kept. */
  createCode(options: {
    name: string
    nodeKey: Uint8Array
    ttlMs: number
    wallMs: number
  }): string {
    const { name, nodeKey, ttlMs, wallMs } = options
    const code = createEnrolmentCode(nodeKey)
    const { id, signer } = enrolmentKeysOf(code)
    this.#change((pages) => {
      const codes = pages.codes.filter(
        ({ expiresMs }) => expiresMs + ENROLMENT_CODE_KEPT_MS > wallMs,
      )
      if (codes.length >= ENROLMENT_CODES_MAX) {
        throw new RelayBookError(
          `there are ${codes.length} codes already; they go a week after they expire`,
        )
      }
      codes.push({
        id: textOf(id),
        verifier: textOf(signer.publicKey),
        name,
        createdMs: wallMs,
        expiresMs: wallMs + ttlMs,
        usedBy: null,
      })
      return { ...pages, codes }
    })
    return writeEnrolmentCode(code)
  }

  /** Ends every key of this name, and every code that waits for it. Throws RelayBookError when there is none. */
  revoke(name: string, wallMs: number): void {
    this.#change((pages) => {
      const isMine = (entry: { name: string }): boolean => entry.name === name
      const isWaiting = (entry: WaitingCode): boolean => isMine(entry) && entry.usedBy === null
      if (!pages.relays.some(isMine) && !pages.codes.some(isWaiting)) {
        throw new RelayBookError(`no relay is called ${name}`)
      }
      return {
        ...pages,
        relays: pages.relays.map((entry) =>
          isMine(entry) && entry.revokedMs === null ? { ...entry, revokedMs: wallMs } : entry,
        ),
        codes: pages.codes.filter((entry) => !isWaiting(entry)),
      }
    })
  }

  /** Whether a claim is worth a proof. Changes nothing. */
  consider(claim: Claim, wallMs: number): Admission | Refusal {
    this.refresh()
    const known = this.#relayOf(textOf(claim.key))
    if (known?.revokedMs === null) {
      const fenced = whyFenced(known, claim)
      return fenced ?? { name: known.name }
    }
    if (claim.code === undefined) {
      return known === undefined
        ? NOT_ENROLLED
        : { reason: 'revoked', detail: 'the operator has revoked this relay' }
    }
    const code = this.#codeOf(claim.code)
    if (code === undefined) return { reason: 'bad-code', detail: 'no such enrolment code' }
    if (code.usedBy !== null) return { reason: 'code-used', detail: 'the code was used already' }
    if (code.expiresMs <= wallMs) return { reason: 'code-expired', detail: 'the code has expired' }
    return { name: code.name, verifier: Buffer.from(code.verifier, 'base64url') }
  }

  /** The claim is proven: enters it. Looks again, since another may have been faster. */
  accept(claim: Claim, wallMs: number): Admission | Refusal {
    const admission = this.consider(claim, wallMs)
    if ('reason' in admission) return admission
    const key = textOf(claim.key)
    const known = this.#relayOf(key)
    const start = { epoch: claim.epoch, instance: textOf(claim.instance), nodeId: claim.nodeId }
    if (admission.verifier === undefined) {
      const isNoted = known?.epoch === start.epoch && known.nodeId === start.nodeId
      if (!isNoted) this.#enter((entry) => (entry.key === key ? { ...entry, ...start } : entry))
      return admission
    }
    if (this.#pages.relays.length >= RELAYS_ENROLLED_MAX) {
      return { reason: 'overloaded', detail: 'the book of relays is full' }
    }
    const { name } = admission
    const id = claim.code === undefined ? '' : textOf(claim.code)
    const entry = { name, key, enrolledMs: wallMs, ...start, revokedMs: null }
    this.#change((pages) => ({
      ...pages,
      // A new machine under an old name: the old key ends. A revoked key that has a new code begins anew.
      relays: [
        ...pages.relays
          .filter((other) => other.key !== key)
          .map((other) =>
            other.name === name ? { ...other, revokedMs: other.revokedMs ?? wallMs } : other,
          ),
        entry,
      ],
      codes: pages.codes.map((other) => (other.id === id ? { ...other, usedBy: key } : other)),
    }))
    return admission
  }

  #enter(update: (entry: EnrolledRelay) => EnrolledRelay): void {
    this.#change((pages) => ({ ...pages, relays: pages.relays.map(update) }))
  }

  #relayOf(key: string): EnrolledRelay | undefined {
    return this.#pages.relays.find((entry) => entry.key === key)
  }

  #codeOf(id: Uint8Array): WaitingCode | undefined {
    const text = textOf(id)
    return this.#pages.codes.find((entry) => entry.id === text)
  }

  #read(): Pages {
    const text = readPrivateFile(this.#path)
    if (text === undefined) return { version: 1, relays: [], codes: [] }
    const result = v.safeParse(bookSchema, parseJson(text))
    if (!result.success) throw new RelayBookError(`${this.#path} is not a book of relays`)
    return result.output
  }

  #change(change: (pages: Pages) => Pages): void {
    withBookLock(this.#path, () => {
      this.refresh()
      replaceFile(this.#path, `${JSON.stringify(change(this.#pages), null, 2)}\n`)
    })
    this.refresh()
  }
}

/** How a relay may be called: as nodes are. */
export function isRelayName(name: string): boolean {
  return /^[\p{L}\p{N}\p{M} ._-]{1,64}$/u.test(name) && name.trim() === name
}

/** For the operator: a line for each relay and each code that waits. */
export function describeBook(book: RelayBook, wallMs: number): string {
  const at = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
  const lines = [
    ...book.relays.map(({ name, enrolledMs, epoch, nodeId, revokedMs }) => {
      const state = revokedMs === null ? `epoch ${epoch}, ${nodeId}` : `revoked ${at(revokedMs)}`
      return `${name.padEnd(24)} enrolled ${at(enrolledMs)}  ${state}`
    }),
    ...book
      .waitingCodes(wallMs)
      .map(({ name, expiresMs }) => `${name.padEnd(24)} has a code until ${at(expiresMs)}`),
  ]
  return lines.length === 0 ? 'no relay is enrolled' : `${lines.join('\n')}\n(times are UTC)`
}

/** Of two starts of one identity the later one counts; of two copies of one start the one that came first. */
function whyFenced(known: EnrolledRelay, claim: Claim): Refusal | undefined {
  if (claim.epoch < known.epoch) {
    const detail = `epoch ${claim.epoch}, but ${known.epoch} was here: this relay was started again elsewhere`
    return { reason: 'fenced', detail }
  }
  const isCopy = claim.epoch === known.epoch && textOf(claim.instance) !== known.instance
  return isCopy
    ? {
        reason: 'fenced',
        detail: `a copy of this relay is here with the same epoch ${claim.epoch}`,
      }
    : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
