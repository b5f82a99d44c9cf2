/**
 * The few words that WebRTC's API cannot say and that must be put into SDP: Opus with DTX and in-band FEC
 * (RFC 7587 §6.1), and how long its packets are. The parameters that our encoder follows are those of the remote
 * description, so it is the answer that is edited, and only where the server did not say so itself. Not an SDP
 * parser.
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

const editSections = (
  sdp: string,
  mids: readonly string[],
  edit: (section: string) => string,
): string =>
  sdp
    .split(/(?=^m=)/m)
    .map((section) => {
      const mid = /^a=mid:(\S+)/m.exec(section)?.[1]
      return mid !== undefined && mids.includes(mid) ? edit(section) : section
    })
    .join('')

/** RFC 8866 §6.4: the packet time that our encoder follows is that of the remote description. */
const withPacketTime = (section: string, packetMs: number): string => {
  const line = `a=ptime:${packetMs}`
  return /^a=ptime:/m.test(section)
    ? section.replace(/^a=ptime:\S+/m, line)
    : section.replace(/^(a=mid:\S+\r\n)/m, `$1${line}\r\n`)
}

/** The answer with this packet time in the sections named by `mids`. */
export const withSpeechPackets = (sdp: string, mids: readonly string[], packetMs: number): string =>
  editSections(sdp, mids, (section) => withPacketTime(section, packetMs))

/** The answer with `useinbandfec=1` and `usedtx=1` for Opus in the sections named by `mids`. */
export const withOpusResilience = (sdp: string, mids: readonly string[]): string =>
  editSections(sdp, mids, editSection)
