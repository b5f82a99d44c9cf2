/**
 * What the engine costs per packet and subscriber, without SRTP and sockets: one speaker (50 audio
 * packets of 80 B and 25 video packets of 750 B a second) to N receivers into a sink that only adds
 * up. Run it by hand: `node core/media/engine/fan-out.bench.ts [receivers] [virtual seconds]
 * [twcc]`. Not a test.
 */
import type { PacketSink } from '../sink.ts'
import { incoming, SimulatedRoom, Track, viewerSections } from './simulated-room.ts'

class AddingSink implements PacketSink {
  packets = 0
  sum = 0
  #next = 0

  openStream(): number {
    this.#next += 1
    return this.#next
  }

  closeStream(): void {}

  sendRtp(stream: number, bytes: Uint8Array, start: number, end: number, index: number): void {
    this.packets += 1
    this.sum = (this.sum + stream + bytes[start + 3]! + bytes[end - 1]! + index) | 0
  }

  sendRtcp(): void {}
}

function measure(receivers: number, seconds: number, transportWide: boolean): void {
  const sink = new AddingSink()
  const room = new SimulatedRoom({ sink })
  const heapBefore = memoryBytes()
  const speaker = room.join(1, [incoming('microphone', 11), incoming('camera', 12)])
  for (let i = 0; i < receivers; i++) room.join(100 + i, viewerSections(2, { transportWide }))
  room.assign([11, 0, 0], 12)
  const voice = new Track({
    room,
    transportIndex: speaker,
    ssrc: 1,
    mid: 'microphone',
    kind: 'audio',
  })
  const camera = new Track({ room, transportIndex: speaker, ssrc: 5, mid: 'camera', kind: 'video' })
  voice.payloadBytes = 80
  camera.payloadBytes = 734
  const turn = () => {
    voice.audio()
    room.advance(20)
    voice.audio()
    camera.frame(1, 3_600)
    room.advance(20)
  }
  for (let i = 0; i < 50; i++) turn()
  const packetsBefore = sink.packets
  const started = process.cpuUsage()
  for (let i = 0; i < seconds * 25; i++) turn()
  const used = process.cpuUsage(started)
  const packets = sink.packets - packetsBefore
  const cpuUs = used.user + used.system
  const heap = (memoryBytes() - heapBefore) / Math.max(1, receivers)
  console.log(
    `${receivers} receivers${transportWide ? ', transport-wide' : ''}: ${packets} packets,`,
    `${(cpuUs / packets).toFixed(3)} us each, ${Math.round(heap / 1_024)} KB a receiver`,
  )
}

function memoryBytes(): number {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const receivers = Number(process.argv[2] ?? 1_000)
const seconds = Number(process.argv[3] ?? 10)
measure(receivers, seconds, process.argv[4] === 'twcc')
