/** The media keys of a trunk, which both ends derive and neither sends. */
import type { SrtpMaster } from '../../core/io/index.ts'
import type { Transcript } from './transcript.ts'

const KEY_BYTES = 16
const SALT_BYTES = 14

/** AES-CM with 80-bit tags (RFC 3711 §4): six bytes a datagram less than GCM, and our fast path. */
export function deriveMediaKeys(
  transcript: Transcript,
  secret: Uint8Array,
): { up: SrtpMaster; down: SrtpMaster } {
  const masterOf = (direction: 'up' | 'down'): SrtpMaster => {
    const bytes = transcript.derive(secret, `media ${direction}`, KEY_BYTES + SALT_BYTES)
    return { profile: 'aes-cm', key: bytes.slice(0, KEY_BYTES), salt: bytes.slice(KEY_BYTES) }
  }
  return { up: masterOf('up'), down: masterOf('down') }
}

/** What the parent shows in its welcome. */
export function deriveConfirmation(transcript: Transcript, secret: Uint8Array): Uint8Array {
  return transcript.derive(secret, 'confirmation', 16)
}
