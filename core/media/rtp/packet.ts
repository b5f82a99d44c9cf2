/**
 * What the engine knows of one RTP packet in hand (RFC 3550 §5.1, RFC 8285, RFC 7741). Not a copy
 * of it: the bytes stay where the socket or the SRTP opener put them, and these objects are reused
 * for every packet.
 */
import type { CodecName } from '../control.ts'

/** The codec-independent header. Filled by `parseRtp`; offsets are absolute within `bytes`. */
export class RtpPacket {
  bytes: Uint8Array = new Uint8Array(0)
  start = 0
  /** One past the last byte, padding included. */
  end = 0
  payloadType = 0
  marker = false
  sequenceNumber = 0
  timestamp = 0
  ssrc = 0
  payloadStart = 0
  /** One past the last payload byte, padding excluded. */
  payloadEnd = 0
  /**
   * Absolute offset and length of the extension with this id; length -1 when absent. Ids 0..255.
   */
  readonly extensionStart = new Int32Array(256)
  readonly extensionLength = new Int16Array(256).fill(-1)
  /** Which ids are set now, so that the next parse clears only those. */
  readonly extensionIds = new Uint8Array(256)
  extensionCount = 0
}

/**
 * What the receive side has understood of a packet's place in its stream, for the forwarders.
 * Filled once per packet, read once per subscriber.
 */
export class MediaPacket {
  /**
   * Plain RTP, `bytes.subarray(start, end)`; padding stripped, extensions removed (12-byte header,
   * no CSRC).
   */
  bytes: Uint8Array = new Uint8Array(0)
  start = 0
  end = 0
  /** Source sequence number, unwrapped (monotonic over wraps, may arrive out of order). */
  sequence = 0
  /**
   * Changes when the source restarted (new SSRC, or RFC 3550 A.1 restart): `sequence` and
   * `timestamp` before and after do not compare, and the forwarder treats it as a switch of source.
   */
  epoch = 0
  codec: CodecName = 'opus'
  /** 32-bit source timestamp. */
  timestamp = 0
  marker = false
  payloadType = 0
  /** First packet of a frame from which a decoder can start. Audio: always true. */
  keyframe = false
  frameStart = false
  /** 0..3; 0 where the codec says nothing. */
  temporalLayer = 0
  /** A receiver of lower temporal layers may step up here (VP8: Y bit or TID 0). */
  temporalSwitch = true
  /** VP8 descriptor fields: offset from `start`, -1 when absent. PictureID is 7 or 15 bits long. */
  pictureIdOffset = -1
  pictureIdBits = 0
  pictureId = 0
  tl0PicIdxOffset = -1
  tl0PicIdx = 0
  /** True when it came by RTX or out of order: forward if the window allows, never switch on it. */
  late = false
  /** Monotonic, from the caller's clock. */
  arrivalMs = 0
}
