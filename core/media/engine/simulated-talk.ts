/**
 * One speaker with microphone and camera, and viewers, as most tests of the engine begin. Used by tests only.
 */
import type { ExecutionContext } from 'ava'
import { incoming, SimulatedRoom, Track, viewerSections } from './simulated-room.ts'

export const MICROPHONE = 11
export const CAMERA = 12
export const OTHER_CAMERA = 22
export const RIDS = ['q', 'h', 'f']

/** A speaker with microphone and camera, at index 0; viewers follow. */
export function createTalk(options: { viewers: number; rids?: string[] }) {
  const room = new SimulatedRoom()
  const rids = options.rids ?? []
  const speaker = room.join(1, [
    incoming('microphone', MICROPHONE),
    incoming('camera', CAMERA, { rids }),
    ...viewerSections(),
  ])
  const viewers = Array.from({ length: options.viewers }, (_, i) =>
    room.join(100 + i, viewerSections()),
  )
  const voice = new Track({
    room,
    transportIndex: speaker,
    ssrc: 1,
    mid: 'microphone',
    kind: 'audio',
  })
  const cameras = (rids.length === 0 ? [undefined] : rids).map((rid, i) => {
    const place = { room, transportIndex: speaker, ssrc: 10 + i, mid: 'camera' } as const
    const track = new Track({ ...place, kind: 'video', ...(rid === undefined ? {} : { rid }) })
    track.heightPx = [180, 360, 720][rids.length === 0 ? 2 : i]!
    track.payloadBytes = [60, 250, 1_000][rids.length === 0 ? 0 : i]!
    return track
  })
  room.assign([MICROPHONE, 0, 0], CAMERA)
  return { room, speaker, viewers, voice, cameras }
}

/**
 * Runs for `ms` of virtual time: audio every 20 ms, a frame every 40 ms, keyframes when asked by
 * PLI.
 */
export function run(talk: ReturnType<typeof createTalk>, ms: number): void {
  const { room, voice, cameras } = talk
  const until = room.nowMs + ms
  while (room.nowMs < until) {
    voice.audio()
    if (Math.floor(room.nowMs / 20) % 2 === 0) {
      cameras.forEach((camera, i) => {
        if (takePli(talk, 10 + i)) camera.keyframeWanted = true
        camera.frame(i + 1, 3_600)
      })
    }
    room.advance(20)
  }
}

/** True when the speaker got a PLI for this SSRC since the last call. */
export function takePli(
  { room, speaker }: { room: SimulatedRoom; speaker: number },
  ssrc: number,
): boolean {
  const found = room.sink.rtcp.findIndex(
    ({ transportIndex, bytes }) => transportIndex === speaker && hasPli(bytes, ssrc),
  )
  if (found >= 0) room.sink.rtcp.splice(found, 1)
  return found >= 0
}

function hasPli(bytes: Uint8Array, ssrc: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (let at = 0; at + 12 <= bytes.length; at += 4 + view.getUint16(at + 2) * 4) {
    const isPli = bytes[at + 1] === 206 && (bytes[at]! & 31) === 1
    if (isPli && view.getUint32(at + 8) === ssrc) return true
  }
  return false
}

/** Every number of the slot follows the one before. */
export function assertContinuous(t: ExecutionContext, sent: { index: number }[]): void {
  const gaps = sent.filter((row, i) => i > 0 && row.index !== sent[i - 1]!.index + 1)
  t.deepEqual(gaps, [])
}
