/**
 * The RTP header extensions (RFC 8285) that we negotiate, and where.
 */

import type { ExtensionIds } from '../../core/media/control.ts'
import type { OfferedSection } from './offer.ts'

type Name = keyof ExtensionIds

const URIS: Readonly<Record<Name, string>> = {
  mid: 'urn:ietf:params:rtp-hdrext:sdes:mid',
  rid: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  repairedRid: 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  audioLevel: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  transportWide: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  absSendTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
}

export const KNOWN_EXTENSIONS: ReadonlySet<string> = new Set(Object.values(URIS))

const IN_AUDIO: Name[] = ['mid', 'audioLevel', 'transportWide', 'absSendTime']
const IN_VIDEO: Name[] = ['mid', 'rid', 'repairedRid', 'transportWide', 'absSendTime']
const OUT: Name[] = ['mid', 'audioLevel', 'transportWide', 'absSendTime']

/** The ids for a section: what was offered and makes sense in this direction. */
export function selectExtensions(section: OfferedSection, direction: 'in' | 'out'): ExtensionIds {
  const wanted = direction === 'out' ? OUT : section.media === 'audio' ? IN_AUDIO : IN_VIDEO
  const ids: ExtensionIds = {}
  for (const name of wanted) {
    const id = section.extensions.get(URIS[name])
    if (id !== undefined) ids[name] = id
  }
  return ids
}

/** The a=extmap lines of selected ids. */
export function extensionLines(ids: ExtensionIds): string[] {
  return (Object.entries(ids) as [Name, number][]).map(
    ([name, id]) => `a=extmap:${id} ${URIS[name]}`,
  )
}
