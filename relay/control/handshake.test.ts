import { generateKeyPairSync } from 'node:crypto'
import test from 'ava'
import { packPlain, unpackPlain } from '../../core/msgpack/index.ts'
import { fuzz } from '../../test/fuzz.ts'
import { createSigner, enrolmentKeysOf, primitives } from '../identity/index.ts'
import {
  ChildHandshake,
  type ChildHandshakeOptions,
  type ChildStep,
  ParentHandshake,
  type ParentHandshakeOptions,
  type ParentStep,
} from './index.ts'
import { Transcript } from './transcript.ts'

const newSigner = () => createSigner(generateKeyPairSync('ed25519').privateKey)
const PARENT = newSigner()
const CHILD = newSigner()
const STRANGER = newSigner()
const CODE = enrolmentKeysOf({ keyHash: new Uint8Array(10), secret: new Uint8Array(10).fill(7) })
const OTHER_CODE = enrolmentKeysOf({ keyHash: new Uint8Array(10), secret: new Uint8Array(10) })
const PRINT = 'ab'.repeat(32)

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

function childOf(overrides: Partial<ChildHandshakeOptions> = {}): ChildHandshake {
  return new ChildHandshake({
    primitives,
    self: { nodeId: 'nchild', name: 'relay', program: '0.1.0' },
    signer: CHILD,
    epoch: 3,
    instance: new Uint8Array(16).fill(1),
    fingerprint: PRINT,
    isPinned: (key) => sameBytes(key, PARENT.publicKey),
    ...overrides,
  })
}

const TERMS = {
  media: { address: '', port: 40_100 },
  ssrcs: { up: 11, down: 22 },
  leaseMs: 10_000,
  heartbeatMs: 2_500,
  tokenKeys: [],
  path: ['nparent', 'ntop'],
}

function parentOf(overrides: Partial<ParentHandshakeOptions> = {}): ParentHandshake {
  return new ParentHandshake({
    primitives,
    self: { nodeId: 'nparent', name: 'core', program: '0.1.0' },
    signer: PARENT,
    fingerprint: PRINT,
    path: ['ntop'],
    consider: () => ({ name: 'Mường Nhé' }),
    accept: () => TERMS,
    ...overrides,
  })
}

type Tamper = (frame: Uint8Array, index: number) => Uint8Array
const untouched: Tamper = (frame) => frame

/** Lets the two talk until one is done; `tamper` sees each frame, counted from 0. */
function talk(
  child: ChildHandshake,
  parent: ParentHandshake,
  tamper: Tamper = untouched,
): { child: ChildStep | undefined; parent: ParentStep | undefined; frames: Uint8Array[] } {
  const frames: Uint8Array[] = []
  const pass = (frame: Uint8Array): Uint8Array => {
    frames.push(frame)
    return tamper(frame, frames.length - 1)
  }
  let up: Uint8Array[] = [child.hello]
  let childStep: ChildStep | undefined
  let parentStep: ParentStep | undefined
  while (up.length > 0) {
    const down: Uint8Array[] = []
    for (const frame of up) {
      parentStep = parent.onFrame(pass(frame))
      down.push(...parentStep.frames)
    }
    up = []
    for (const frame of down) {
      childStep = child.onFrame(pass(frame))
      if (childStep.kind !== 'welcomed') up.push(...childStep.frames)
      if (childStep.kind === 'refused') break
    }
    if (childStep?.kind === 'refused' && childStep.byPeer) break
  }
  return { child: childStep, parent: parentStep, frames }
}

const reasonOf = (step: ChildStep | ParentStep | undefined): string =>
  step?.kind === 'refused' ? step.reason : (step?.kind ?? 'nothing')

test('both sides know each other, derive the same media keys, and none of them travels', (t) => {
  const { child, parent, frames } = talk(childOf(), parentOf())
  if (child?.kind !== 'welcomed' || parent?.kind !== 'accepted') return t.fail()
  const { media } = child.welcomed
  t.deepEqual(media, parent.accepted.media)
  t.notDeepEqual(media.up.key, media.down.key)
  t.is(media.up.key.length, 16)
  t.is(media.up.salt.length, 14)
  t.like(child.welcomed, { parent: { nodeId: 'nparent', name: 'core' }, version: 1 })
  t.like(parent.accepted, { name: 'Mường Nhé', claim: { nodeId: 'nchild', epoch: 3 } })
  t.deepEqual(child.welcomed.welcome.path, TERMS.path)
  const wire = Buffer.concat(frames)
  for (const { key } of [media.up, media.down]) {
    t.is(wire.indexOf(key), -1)
    t.is(wire.indexOf(Buffer.from(key).toString('base64url')), -1)
  }
  const again = talk(childOf(), parentOf())
  t.true(again.child?.kind === 'welcomed')
  if (again.child?.kind === 'welcomed') t.notDeepEqual(again.child.welcomed.media, media)
})

test('another key than the pinned one is refused, and told apart from another certificate', (t) => {
  t.is(reasonOf(talk(childOf(), parentOf({ signer: STRANGER })).child), 'wrong-core')
  const middle = talk(childOf({ fingerprint: 'cd'.repeat(32) }), parentOf())
  t.is(reasonOf(middle.child), 'bad-signature')
  t.is(reasonOf(middle.parent), 'bad-signature')
})

test('a flipped bit anywhere ends it, and never leads to a session', (t) => {
  const lengths = talk(childOf(), parentOf()).frames.map(({ length }) => length)
  t.is(lengths.length, 5)
  let sessions = 0
  for (let index = 0; index < lengths.length; index += 1) {
    for (let at = 3; at < lengths[index]!; at += 7) {
      const { child, parent } = talk(childOf(), parentOf(), (frame, now) => {
        if (now !== index) return frame
        const bent = Uint8Array.from(frame)
        bent[at]! ^= 1
        return bent
      })
      const isPart = child?.kind === 'welcomed' && parent?.kind === 'accepted'
      // The welcome is not signed (TLS guards it): what may change there is checked by its bounds.
      if (isPart && index < 4) sessions += 1
    }
  }
  t.is(sessions, 0)
})

test('a hello that is heard again leads nowhere: its sender cannot answer the new challenge', (t) => {
  const { frames } = talk(childOf(), parentOf())
  const parent = parentOf()
  t.is(parent.onFrame(frames[0]!).kind, 'more')
  t.is(reasonOf(parent.onFrame(frames[3]!)), 'bad-signature')
})

test('an old answer of the parent does not fit a new hello', (t) => {
  const { frames } = talk(childOf(), parentOf())
  const child = childOf()
  t.is(child.onFrame(frames[1]!).kind, 'more')
  t.is(reasonOf(child.onFrame(frames[2]!)), 'bad-signature')
})

test('a mirror is seen: our own words, and our own key', (t) => {
  const child = childOf()
  const hello = unpackPlain(child.hello) as Record<string, unknown>
  const mirrored = packPlain({ ...hello, type: 'challenge', version: 1, nodeId: 'nother' })
  t.is(reasonOf(child.onFrame(mirrored)), 'loop')
  t.is(reasonOf(talk(childOf({ signer: PARENT }), parentOf()).parent), 'loop')
  t.is(reasonOf(talk(childOf(), parentOf({ signer: CHILD })).parent), 'loop')
})

test('a signature of one role, or over one certificate, is none of another', (t) => {
  const [one, same, other] = [PRINT, PRINT, ''].map((print) => new Transcript(primitives, print))
  const signature = one!.sign('parent', PARENT)
  t.true(same!.isSignedBy('parent', PARENT.publicKey, signature))
  t.false(same!.isSignedBy('child', PARENT.publicKey, signature))
  t.false(other!.isSignedBy('parent', PARENT.publicKey, signature))
  same!.add(new Uint8Array(1))
  t.false(same!.isSignedBy('parent', PARENT.publicKey, signature))
})

test("nobody can put his own key under somebody else's handshake", (t) => {
  // The man in the middle replaces key and signature of the child by his own: the hello that the parent saw is not the
  // one that the child signed for, and the parent's signature does not reach the child.
  const { child } = talk(childOf(), parentOf(), (frame, index) => {
    if (index !== 0) return frame
    const hello = unpackPlain(frame) as Record<string, unknown>
    return packPlain({ ...hello, key: Buffer.from(STRANGER.publicKey).toString('base64url') })
  })
  t.is(reasonOf(child), 'bad-signature')
})

test('a code enrols only who holds it', (t) => {
  const consider = () => ({ name: 'Mường Nhé', verifier: CODE.signer.publicKey })
  t.is(reasonOf(talk(childOf({ enrolment: CODE }), parentOf({ consider })).child), 'welcomed')
  t.is(reasonOf(talk(childOf(), parentOf({ consider })).child), 'bad-code')
  const guess = { id: CODE.id, signer: OTHER_CODE.signer }
  t.is(reasonOf(talk(childOf({ enrolment: guess }), parentOf({ consider })).child), 'bad-code')
})

test('refusals of the book reach the child with their reasons, before and after the proof', (t) => {
  for (const reason of ['unknown-relay', 'revoked', 'fenced', 'code-used'] as const) {
    const early = talk(childOf(), parentOf({ consider: () => ({ reason, detail: 'no' }) }))
    t.like(early.child, { kind: 'refused', reason, byPeer: true, proven: false })
    const late = talk(childOf(), parentOf({ accept: () => ({ reason, detail: 'no' }) }))
    t.like(late.child, { kind: 'refused', reason, byPeer: true, proven: true })
  }
})

test('loops and towers are refused, whoever sees them first', (t) => {
  const self = { nodeId: 'ntop', name: 'relay', program: '' }
  t.is(reasonOf(talk(childOf({ self }), parentOf()).parent), 'loop')
  t.is(reasonOf(talk(childOf({ self }), parentOf({ path: [] })).child), 'loop')
  const path = ['nparent', ...'bcdefghij'].map((letter) =>
    letter.length > 1 ? letter : `n${letter}`,
  )
  t.is(
    reasonOf(talk(childOf(), parentOf({ accept: () => ({ ...TERMS, path }) })).child),
    'too-deep',
  )
})

test('versions: the highest in common is taken, unknown fields are skipped, none in common is told', (t) => {
  const newer: Tamper = (frame, index) => {
    if (index !== 0) return frame
    return packPlain({ ...(unpackPlain(frame) as object), versions: [9], future: { a: [1] } })
  }
  t.is(reasonOf(talk(childOf(), parentOf(), newer).child), 'version')
  // A child of a newer program, whose hello has one more field, signs that very hello.
  const child = childOf()
  const parent = parentOf()
  const more = packPlain({ ...(unpackPlain(child.hello) as object), versions: [2, 1], future: 1 })
  const step = parent.onFrame(more)
  t.is(step.kind, 'more')
  t.is((unpackPlain(step.frames[0]!) as { version: number }).version, 1)
})

test('what is out of turn, too large or cut short is malformed', (t) => {
  const { frames } = talk(childOf(), parentOf())
  t.is(reasonOf(parentOf().onFrame(frames[3]!)), 'malformed')
  t.is(reasonOf(childOf().onFrame(frames[2]!)), 'malformed')
  t.is(reasonOf(parentOf().onFrame(frames[0]!.subarray(0, -1))), 'malformed')
  const padded = { ...(unpackPlain(frames[0]!) as object), pad: 'x'.repeat(5_000) }
  t.is(reasonOf(parentOf().onFrame(packPlain(padded))), 'malformed')
  const parent = parentOf()
  parent.onFrame(frames[0]!)
  t.is(reasonOf(parent.onFrame(frames[0]!)), 'malformed', 'a second hello')
})

test('a point of small order is no key', (t) => {
  const { parent } = talk(childOf(), parentOf(), (frame, index) => {
    if (index !== 0) return frame
    return packPlain({ ...(unpackPlain(frame) as object), ephemeral: 'A'.repeat(43) })
  })
  t.is(reasonOf(parent), 'malformed')
})

test.serial('whatever bytes come, a handshake answers or refuses and never throws', (t) => {
  const { frames } = talk(childOf(), parentOf())
  let parent = parentOf()
  const result = fuzz({
    samples: frames,
    copies: true,
    parse: (bytes, start, end) => {
      const frame = bytes.slice(start, end)
      const step = parent.onFrame(frame)
      parent = parentOf()
      const other = childOf().onFrame(frame)
      return step.kind === 'more' || (other.kind === 'refused' && other.reason !== 'malformed')
        ? 1
        : 0
    },
  })
  t.log(result.summary)
  t.true(result.accepted > 0)
})
