/**
 * Guards of what makes this folder cheap, as ratios within one run; the figures are in seal.bench.ts. The best of some
 * turns counts, in CPU time, so that a busy machine does not turn it red.
 */
import { createCipheriv, createSecretKey } from 'node:crypto'
import test from 'ava'
import { RtpHeader, SrtpSession } from 'werift'
import { createRig, masterOf, rtpPacket } from './test-rig.ts'

const TURNS = 7

function leastCpuUs(run: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let turn = 0; turn < TURNS; turn += 1) {
    const before = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, user + system)
  }
  return least
}

test('sealing costs at most a fifth of what it costs with werift', (t) => {
  const keys = 64
  const packet = rtpPacket({ ssrc: 1, index: 0, payloadBytes: 700 })
  const header = RtpHeader.deSerialize(packet)
  const rig = createRig()
  const streams: number[] = []
  const sessions: SrtpSession[] = []
  for (let i = 0; i < keys; i += 1) {
    const master = masterOf('aes-cm', i)
    streams.push(rig.sender.openStream(rig.sender.addContext(master, i), 1))
    const key = Buffer.from(master.key)
    const salt = Buffer.from(master.salt)
    const sides = { localMasterKey: key, localMasterSalt: salt }
    const keyed = { ...sides, remoteMasterKey: key, remoteMasterSalt: salt }
    sessions.push(new SrtpSession({ keys: keyed, profile: 1 }))
  }
  let index = 0
  const ours = leastCpuUs(() => {
    for (let i = 0; i < 40; i += 1) {
      packet.writeUInt16BE(index, 2)
      for (const stream of streams) rig.sender.seal(stream, packet, 0, packet.length, index)
      rig.sender.flush()
      index += 1
    }
    rig.sent.length = 0
  })
  const payload = packet.subarray(12)
  let sequence = 0
  const theirs = leastCpuUs(() => {
    for (let i = 0; i < 40; i += 1) {
      header.sequenceNumber = sequence
      sequence += 1
      for (const session of sessions) session.encrypt(payload, header)
    }
  })
  t.true(ours * 5 < theirs, `ours ${ours} us, werift ${theirs} us`)
})

test('a cipher from a KeyObject is not dearer than one from raw bytes', (t) => {
  const raw = Buffer.alloc(16, 1)
  const key = createSecretKey(raw)
  const iv = Buffer.alloc(12)
  const make = (from: typeof raw | typeof key) => () => {
    for (let i = 0; i < 500; i += 1) createCipheriv('aes-128-gcm', from, iv)
  }
  make(key)()
  make(raw)()
  const keyObject = leastCpuUs(make(key))
  const bytes = leastCpuUs(make(raw))
  t.true(keyObject < bytes * 1.3, `KeyObject ${keyObject} us, raw ${bytes} us`)
})
