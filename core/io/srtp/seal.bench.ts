/**
 * What sealing and opening cost: `node core/io/srtp/seal.bench.ts`. Microseconds a packet, a thousand keys in turn
 * as in a fan-out, and the same by werift's session as a ratio within the run. No socket.
 */
import { RtpHeader, SrtpSession } from 'werift'
import { createDropCounters } from '../../media/rtp/index.ts'
import { createHmacSha1 } from './hmac-sha1.ts'
import { createSrtpReceiver } from './receiver.ts'
import { createSrtpSender } from './sender.ts'
import { masterOf, PROFILES, type Profile, rtpPacket } from './test-rig.ts'

const KEYS = 1_000
/** werift's sessions are slow to make; this many already do not fit the caches. */
const WERIFT_KEYS = 300
const TURNS = 8
const SSRC = 0x1234_5678
const PLAIN_BYTES = [100, 750, 1_100]

type Case = { profile: Profile; kind: 'simd' | 'hash'; bytes: number; rounds: number }

/** CPU time, not the clock's: the machine may be shared. */
function elapsedUs(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

/** The least of some turns. */
function leastUs(run: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let turn = 0; turn < TURNS; turn += 1) least = Math.min(least, elapsedUs(run))
  return least
}

/** Microseconds per sealed packet. */
function sealUs({ profile, kind, bytes, rounds }: Case): number {
  const hmac = createHmacSha1(kind)
  const sink = { onSealed: () => {}, inFlightCount: () => 0 }
  const sender = createSrtpSender({ hmac, sink, drops: createDropCounters() })
  const streams = Int32Array.from({ length: KEYS }, (_, i) =>
    sender.openStream(sender.addContext(masterOf(profile, i), i), SSRC),
  )
  const packet = rtpPacket({ ssrc: SSRC, index: 0, payloadBytes: bytes - 12 })
  let index = 0
  const round = () => {
    packet.writeUInt16BE(index & 0xffff, 2)
    for (let i = 0; i < KEYS; i += 1) {
      sender.seal(streams[i] as number, packet, 0, packet.length, index)
    }
    sender.flush()
    index += 1
  }
  for (let i = 0; i < rounds; i += 1) round()
  const us = leastUs(() => {
    for (let i = 0; i < rounds; i += 1) round()
  })
  return us / rounds / KEYS
}

/** Microseconds per opened packet; `bad` breaks each tag first. */
function openUs({ profile, kind, bytes, rounds }: Case, bad: boolean): number {
  const hmac = createHmacSha1(kind)
  const drops = createDropCounters()
  const sealed: Buffer[] = []
  const sink = {
    onSealed: (_token: number, start: number, end: number) => {
      sealed.push(Buffer.from(hmac.slab.subarray(start, end)))
    },
    inFlightCount: () => 0,
  }
  const sender = createSrtpSender({ hmac, sink, drops })
  const masters = Array.from({ length: 100 }, (_, i) => masterOf(profile, i))
  const streams = masters.map((master, i) => sender.openStream(sender.addContext(master, i), SSRC))
  const receivers = masters.map((master) => createSrtpReceiver({ hmac, master, drops }))
  const count = rounds * TURNS
  for (let index = 0; index < count; index += 1) {
    const packet = rtpPacket({ ssrc: SSRC, index, payloadBytes: bytes - 12 })
    for (const stream of streams) sender.seal(stream, packet, 0, packet.length, index)
    sender.flush()
  }
  if (bad) for (const packet of sealed) packet[packet.length - 1] = 0x55 ^ (packet.at(-1) as number)
  let at = 0
  const open = (to: number) => {
    for (; at < to; at += 1) {
      const packet = sealed[at] as Buffer
      receivers[at % 100]?.openRtp(packet, 0, packet.length)
    }
  }
  const share = sealed.length / TURNS
  return leastUs(() => open(at + share)) / share
}

function weriftUs(profile: Profile, bytes: number): number {
  const sessions = Array.from({ length: WERIFT_KEYS }, (_, i) => {
    const { key, salt } = masterOf(profile, i)
    const [masterKey, masterSalt] = [Buffer.from(key), Buffer.from(salt)]
    return new SrtpSession({
      keys: {
        localMasterKey: masterKey,
        localMasterSalt: masterSalt,
        remoteMasterKey: masterKey,
        remoteMasterSalt: masterSalt,
      },
      profile: profile === 'aes-gcm' ? 7 : 1,
    })
  })
  const packet = rtpPacket({ ssrc: SSRC, index: 0, payloadBytes: bytes - 12 })
  const header = RtpHeader.deSerialize(packet)
  const payload = packet.subarray(12)
  const turns = 2
  let sequence = 0
  const us = leastUs(() => {
    for (let i = 0; i < turns; i += 1) {
      header.sequenceNumber = sequence
      sequence += 1
      for (const session of sessions) session.encrypt(payload, header)
    }
  })
  return us / turns / WERIFT_KEYS
}

function report(): void {
  const line = (text: string) => process.stdout.write(`${text}\n`)
  line('profile kind  bytes | seal   open   refuse (us/packet) | werift seal  ratio')
  for (const profile of PROFILES) {
    for (const bytes of PLAIN_BYTES) {
      const theirs = weriftUs(profile, bytes)
      for (const kind of profile === 'aes-cm' ? (['simd', 'hash'] as const) : (['hash'] as const)) {
        const one: Case = { profile, kind, bytes, rounds: profile === 'aes-gcm' ? 2 : 24 }
        const seal = sealUs(one)
        const open = openUs({ ...one, rounds: 10 }, false)
        const refuse = openUs({ ...one, rounds: 10 }, true)
        const cells = [seal, open, refuse].map((us) => us.toFixed(2).padStart(6)).join(' ')
        const name = `${profile.padEnd(7)} ${kind.padEnd(5)} ${String(bytes).padStart(5)}`
        line(`${name} | ${cells} | ${theirs.toFixed(1)}  ${(theirs / seal).toFixed(0)}x`)
      }
    }
  }
}

report()
