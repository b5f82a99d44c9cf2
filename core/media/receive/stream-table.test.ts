import test from 'ava'
import { LAYERS_PER_PUBLICATION_MAX, SSRC_CHANGE_MS_MIN } from '../../../config/limits.ts'
import type { IncomingSection } from '../control.ts'
import { DROP_CODE, type DropReason, MediaPacket, parseRtp, RtpPacket } from '../rtp/index.ts'
import { audioSection, type PacketFields, packetBytes, videoSection } from './generated-source.ts'
import { RECEIVED_MEDIA, RECEIVED_NOTHING, StreamTable } from './index.ts'

const RIDS = ['q', 'h', 'f']
const PAYLOAD = [0x10, 0x00, 1, 2]

function bytesOf(name: string): number[] {
  return [...new TextEncoder().encode(name)]
}

/** Returns how a packet is understood: `publication/layer`, or the reason for its drop. */
function createLookup(sections: IncomingSection[]) {
  const table = new StreamTable(sections)
  const lookup = (fields: Partial<PacketFields>, nowMs = 0): string => {
    const packet = new RtpPacket()
    const bytes = packetBytes(
      { ssrc: 1, payloadType: 96, sequenceNumber: 1, payload: PAYLOAD, ...fields },
      0,
    )
    if (!parseRtp(packet, bytes, 0, bytes.length)) throw new Error('bad packet in a test')
    const stream = table.resolve(packet, nowMs)
    if (stream !== undefined) return `${stream.publicationId}/${stream.spatialLayer}`
    return reasonOf(table.dropCode)
  }
  return { table, lookup }
}

function reasonOf(code: number): string {
  const reasons = Object.keys(DROP_CODE) as DropReason[]
  return reasons.find((reason) => DROP_CODE[reason] === code) ?? `code ${code}`
}

function named(mid: string, rid?: string, repairedRid?: string): [number, number[]][] {
  const list: [number, number[]][] = [[4, bytesOf(mid)]]
  if (rid !== undefined) list.push([5, bytesOf(rid)])
  if (repairedRid !== undefined) list.push([6, bytesOf(repairedRid)])
  return list
}

test('declared SSRCs need nothing else', (t) => {
  const { lookup, table } = createLookup([
    audioSection({ ssrcs: [{ ssrc: 4_294_967_295 }] }),
    videoSection({ ssrcs: [{ ssrc: 0, rtxSsrc: 11 }] }),
  ])
  t.is(lookup({ ssrc: 4_294_967_295, payloadType: 111 }), '1/0')
  t.is(lookup({ ssrc: 0 }), '2/0')
  t.is(lookup({ ssrc: 11, payloadType: 97 }), '2/0')
  t.is(table.ofSsrc(4_294_967_295)?.publicationId, 1)
  t.is(table.ofSsrc(11)?.ssrc, 0)
  t.is(table.ofSsrc(12), undefined)
  t.is(table.size, 3)
})

test('several declared SSRCs without RIDs are layers in their order', (t) => {
  const ssrcs = [{ ssrc: 21 }, { ssrc: 22 }, { ssrc: 23 }, { ssrc: 24 }]
  const { lookup } = createLookup([audioSection(), videoSection({ ssrcs })])
  t.is(lookup({ ssrc: 21 }), '2/0')
  t.is(lookup({ ssrc: 23 }), '2/2')
  t.is(lookup({ ssrc: 24 }, 0), '2/0', 'a fourth is a change of the first')
})

test('MID and RID bind, and later packets do without them', (t) => {
  const { lookup } = createLookup([audioSection(), videoSection({ rids: RIDS })])
  t.is(lookup({ ssrc: 31, extensions: named('1', 'f') }), '2/2')
  t.is(lookup({ ssrc: 32, extensions: named('1', 'q') }), '2/0')
  t.is(lookup({ ssrc: 31 }), '2/2')
  t.is(lookup({ ssrc: 33, payloadType: 111, extensions: named('0') }), '1/0')
})

test('the first packet may be an RTX probe with the repaired RID, as Chromium sends', (t) => {
  const { lookup, table } = createLookup([videoSection({ rids: RIDS })])
  const probe = { payloadType: 97, payload: [], paddingBytes: 200 }
  t.is(lookup({ ...probe, ssrc: 41, extensions: named('1', undefined, 'h') }), '2/1')
  t.is(table.streams[0]?.ssrc, -1)
  t.is(table.streams[0]?.nextDeadlineMs(), Infinity)
  t.is(lookup({ ssrc: 42, extensions: named('1', 'h') }), '2/1')
  t.is(table.streams.length, 1)
  t.is(table.streams[0]?.rtxSsrc, 41)
  t.is(table.ofSsrc(41), table.ofSsrc(42))
})

test('media and RTX are kept apart by payload type', (t) => {
  const { lookup } = createLookup([videoSection({ ssrcs: [{ ssrc: 10, rtxSsrc: 11 }] })])
  t.is(lookup({ ssrc: 10, payloadType: 97 }), 'payload-type-unknown')
  t.is(lookup({ ssrc: 11, payloadType: 96 }), 'payload-type-unknown')
})

test('a payload type that only one section has is enough, after probation', (t) => {
  const { lookup, table } = createLookup([audioSection(), videoSection()])
  t.is(lookup({ ssrc: 51 }), '2/0')
  const stream = table.ofSsrc(51)
  const results = [9, 10].map((sequenceNumber) => {
    const packet = new RtpPacket()
    const bytes = packetBytes({ ssrc: 51, payloadType: 96, sequenceNumber, payload: PAYLOAD }, 0)
    parseRtp(packet, bytes, 0, bytes.length)
    return stream?.receive(packet, 0, new MediaPacket())
  })
  t.deepEqual(results, [-DROP_CODE.probation, RECEIVED_MEDIA])
})

test('a mere payload type takes no layer from a source that is heard', (t) => {
  const { lookup, table } = createLookup([videoSection({ ssrcs: [{ ssrc: 10 }] })])
  const packet = new RtpPacket()
  const bytes = packetBytes({ ssrc: 10, payloadType: 96, sequenceNumber: 1, payload: PAYLOAD }, 0)
  parseRtp(packet, bytes, 0, bytes.length)
  table.resolve(packet, 5_000)?.receive(packet, 5_000, new MediaPacket())
  t.is(lookup({ ssrc: 52 }, 5_000 + SSRC_CHANGE_MS_MIN - 1), 'ssrc-limit')
  t.is(lookup({ ssrc: 52 }, 5_000 + SSRC_CHANGE_MS_MIN), '2/0')
})

test('a payload type of two sections, or of a simulcast section, explains nothing', (t) => {
  const two = createLookup([videoSection(), videoSection({ mid: '2', publicationId: 3 })])
  t.is(two.lookup({}), 'ssrc-unknown')
  const simulcast = createLookup([videoSection({ rids: RIDS })])
  t.is(simulcast.lookup({}), 'rid-unknown')
  t.is(simulcast.lookup({ payloadType: 50 }), 'ssrc-unknown')
})

test('extension ids are those of each section', (t) => {
  const { lookup } = createLookup([
    audioSection({ extensions: { mid: 9 } }),
    videoSection({ extensions: { mid: 10, rid: 9 }, rids: ['0', '1'] }),
  ])
  const extensions: [number, number[]][] = [
    [10, bytesOf('1')],
    [9, bytesOf('1')],
  ]
  t.is(lookup({ ssrc: 61, extensions }), '2/1')
  t.is(lookup({ ssrc: 62, payloadType: 111, extensions: [[9, bytesOf('0')]] }), '1/0')
})

test('names from outside are compared, never used: __proto__ is just unknown', (t) => {
  const { lookup, table } = createLookup([audioSection(), videoSection({ rids: RIDS })])
  for (const name of ['__proto__', 'constructor', 'q\0', '', 'Q']) {
    const extensions = named('1', name === '' ? undefined : name)
    t.is(lookup({ ssrc: 71, extensions }), 'rid-unknown')
    if (name !== '') t.is(lookup({ ssrc: 71, extensions: named(name, 'q') }), 'mid-unknown')
  }
  t.is(table.size, 0)
  t.is(Object.keys(Object.prototype).length, 0)
})

test('a section may be called __proto__ and work like any other', (t) => {
  const { lookup } = createLookup([
    videoSection({ mid: '__proto__', rids: ['__proto__', 'toString'] }),
  ])
  t.is(lookup({ ssrc: 72, extensions: named('__proto__', 'toString') }), '2/1')
})

test('a bound SSRC that claims another section or layer is a collision', (t) => {
  const { lookup } = createLookup([audioSection(), videoSection({ rids: RIDS })])
  t.is(lookup({ ssrc: 81, extensions: named('1', 'q') }), '2/0')
  t.is(lookup({ ssrc: 81, extensions: named('1', 'h') }), 'ssrc-collision')
  t.is(lookup({ ssrc: 81, extensions: named('0') }), 'ssrc-collision')
  t.is(lookup({ ssrc: 81, extensions: named('1', 'q') }), '2/0')
})

test('an SSRC declared twice stays with the first section', (t) => {
  const { lookup, table } = createLookup([
    audioSection({ ssrcs: [{ ssrc: 91 }] }),
    videoSection({ ssrcs: [{ ssrc: 91, rtxSsrc: 91 }] }),
  ])
  t.is(lookup({ ssrc: 91, payloadType: 111 }), '1/0')
  t.is(lookup({ ssrc: 92, extensions: named('1') }), '2/0')
  t.is(table.size, 2)
})

test('a layer may change its SSRC, but not more often than once a second', (t) => {
  const { lookup, table } = createLookup([videoSection({ rids: RIDS })])
  const extensions = named('1', 'q')
  t.is(lookup({ ssrc: 101, extensions }, 0), '2/0')
  t.is(lookup({ ssrc: 102, extensions }, SSRC_CHANGE_MS_MIN - 1), 'ssrc-limit')
  t.is(lookup({ ssrc: 101 }, SSRC_CHANGE_MS_MIN - 1), '2/0')
  t.is(lookup({ ssrc: 102, extensions }, SSRC_CHANGE_MS_MIN), '2/0')
  t.is(lookup({ ssrc: 101 }, SSRC_CHANGE_MS_MIN), 'rid-unknown')
  t.is(table.streams.length, 1)
  t.is(table.streams[0]?.ssrc, 102)
})

test('a flood of SSRCs creates no more than two for each layer', (t) => {
  const { lookup, table } = createLookup([audioSection(), videoSection({ rids: [...RIDS, 'x'] })])
  for (let index = 0; index < 20_000; index++) {
    const rid = [...RIDS, 'x'][index % 4] ?? 'q'
    const isRtx = index % 3 === 0
    const extensions = isRtx ? named('1', undefined, rid) : named('1', rid)
    lookup({ ssrc: 1_000 + index, payloadType: isRtx ? 97 : 96, extensions }, index * 100)
  }
  t.is(table.streams.length, LAYERS_PER_PUBLICATION_MAX)
  t.true(table.size <= 2 * LAYERS_PER_PUBLICATION_MAX)
})

test('BYE frees an SSRC, and the layer goes on with the next one at once', (t) => {
  const { lookup, table } = createLookup([videoSection({ rids: RIDS })])
  t.is(lookup({ ssrc: 111, extensions: named('1', 'q') }, 0), '2/0')
  table.forget(111)
  table.forget(111)
  t.is(lookup({ ssrc: 111 }, 0), 'rid-unknown')
  t.is(lookup({ ssrc: 112, extensions: named('1', 'q') }, 1), '2/0')
  t.is(table.size, 1)
})

test('after a change of SSRC the numbers begin anew under a new epoch', (t) => {
  const { table } = createLookup([videoSection({ rids: RIDS })])
  const out = new MediaPacket()
  const receive = (ssrc: number, sequenceNumber: number, nowMs: number) => {
    const packet = new RtpPacket()
    const fields = { ssrc, payloadType: 96, sequenceNumber, payload: PAYLOAD }
    const bytes = packetBytes({ ...fields, extensions: named('1', 'q') }, 0)
    parseRtp(packet, bytes, 0, bytes.length)
    return table.resolve(packet, nowMs)?.receive(packet, nowMs, out) ?? RECEIVED_NOTHING
  }
  t.is(receive(121, 65_535, 0), RECEIVED_MEDIA)
  t.is(out.epoch, 1)
  t.is(receive(122, 30_000, 2_000), RECEIVED_MEDIA)
  t.is(out.epoch, 2)
  t.is(out.sequence, 0x10000 + 30_000)
})
