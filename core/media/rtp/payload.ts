/**
 * Fills what a MediaPacket says about its payload, by codec: keyframe, frame start, temporal layer,
 * VP8 offsets. One switch, so that the receive path has no codec objects. Not stateful: picture
 * starts that follow from timestamps are corrected by the stream.
 */
import { describeAv1 } from './av1.ts'
import { describeH264 } from './h264.ts'
import type { MediaPacket } from './packet.ts'
import { RTP_HEADER_BYTES } from './parse.ts'
import { describeVp8 } from './vp8.ts'
import { describeVp9 } from './vp9.ts'

/**
 * @hot Reads the payload of `out` (12-byte header at `out.start`, `out.codec` set) into its codec
 * fields. False when the descriptor is malformed.
 */
export function describePayload(out: MediaPacket): boolean {
  const start = out.start + RTP_HEADER_BYTES
  out.keyframe = false
  out.frameStart = false
  out.temporalLayer = 0
  out.temporalSwitch = true
  out.pictureIdOffset = -1
  out.pictureIdBits = 0
  out.pictureId = 0
  out.tl0PicIdxOffset = -1
  out.tl0PicIdx = 0
  switch (out.codec) {
    case 'vp8':
      return describeVp8(out, start, out.end)
    case 'h264':
      return describeH264(out, start, out.end)
    case 'vp9':
      return describeVp9(out, start, out.end)
    case 'av1':
      return describeAv1(out, start, out.end)
    case 'opus':
    case 'red':
      out.keyframe = true
      out.frameStart = true
      return start < out.end
  }
}
