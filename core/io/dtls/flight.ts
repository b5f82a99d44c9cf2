/**
 * A flight on its way out: messages cut into fragments, records packed into datagrams that pass any
 * path that we promise to work on (MTU 1280). Not the repetition of flights, which is the sessions'
 * business.
 */
import { HANDSHAKE_HEADER_BYTES } from './reassembly.ts'
import { RECORD_HEADER_BYTES } from './records.ts'

const DATAGRAM_BYTES_MAX = 1_200
const FRAGMENT_BYTES_MAX = DATAGRAM_BYTES_MAX - RECORD_HEADER_BYTES - HANDSHAKE_HEADER_BYTES

/** A whole message as fragments, each with its own header; one fragment when it fits (RFC 6347 §4.2.3). */
export const fragmentMessage = (message: Buffer): Buffer[] => {
  const body = message.subarray(HANDSHAKE_HEADER_BYTES)
  if (body.length <= FRAGMENT_BYTES_MAX) return [message]
  const fragments: Buffer[] = []
  for (let offset = 0; offset < body.length; offset += FRAGMENT_BYTES_MAX) {
    const part = body.subarray(offset, offset + FRAGMENT_BYTES_MAX)
    const header = Buffer.from(message.subarray(0, HANDSHAKE_HEADER_BYTES))
    header.writeUIntBE(offset, 6, 3)
    header.writeUIntBE(part.length, 9, 3)
    fragments.push(Buffer.concat([header, part]))
  }
  return fragments
}

/** Records in order, in as few datagrams as fit. */
export const packRecords = (records: readonly Buffer[]): Buffer[] => {
  const datagrams: Buffer[] = []
  let parts: Buffer[] = []
  let sizeBytes = 0
  for (const record of records) {
    if (parts.length > 0 && sizeBytes + record.length > DATAGRAM_BYTES_MAX) {
      datagrams.push(Buffer.concat(parts))
      parts = []
      sizeBytes = 0
    }
    parts.push(record)
    sizeBytes += record.length
  }
  if (parts.length > 0) datagrams.push(Buffer.concat(parts))
  return datagrams
}
