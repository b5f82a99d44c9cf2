/**
 * The few words that WebRTC's API cannot say and that must be put into SDP: Opus with DTX and in-band FEC
 * (RFC 7587 §6.1). The parameters that our encoder follows are those of the remote description, so it is the answer
 * that is edited, and only where the server did not say so itself. Not an SDP parser.
 */

const OPUS_MAP = /^a=rtpmap:(\d+) opus\/48000/i

const withParameter = (line: string, name: string): string =>
  new RegExp(`[ ;]${name}=`, 'i').test(line) ? line : `${line};${name}=1`

const editSection = (section: string): string => {
  const lines = section.split('\r\n')
  const payloadTypes = lines.flatMap((line) => OPUS_MAP.exec(line)?.[1] ?? [])
  for (const payloadType of payloadTypes) {
    const index = lines.findIndex((line) => line.startsWith(`a=fmtp:${payloadType} `))
    const map = lines.findIndex((line) => line.startsWith(`a=rtpmap:${payloadType} `))
    if (index >= 0) {
      const line = lines[index] ?? ''
      lines[index] = withParameter(withParameter(line, 'useinbandfec'), 'usedtx')
    } else {
      lines.splice(map + 1, 0, `a=fmtp:${payloadType} useinbandfec=1;usedtx=1`)
    }
  }
  return lines.join('\r\n')
}

/** The answer with `useinbandfec=1` and `usedtx=1` for Opus in the sections named by `mids`. */
export const withOpusResilience = (sdp: string, mids: readonly string[]): string => {
  const sections = sdp.split(/(?=^m=)/m)
  return sections
    .map((section) => {
      const mid = /^a=mid:(\S+)/m.exec(section)?.[1]
      return mid !== undefined && mids.includes(mid) ? editSection(section) : section
    })
    .join('')
}
