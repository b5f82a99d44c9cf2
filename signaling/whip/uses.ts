/**
 * What the sections of a WHIP or WHEP offer are for: they say nothing themselves, so order decides.
 */

import { AUDIO_SLOTS_MAX } from '../../config/index.ts'
import type { Offer, OfferedSection, SectionUse } from '../sdp/index.ts'
import type { WhipKind } from './resource.ts'

/** First audio = microphone, first video = camera, second video = screen. */
function sent(sections: readonly OfferedSection[]): SectionUse[] {
  const audio = sections.find(({ media }) => media === 'audio')
  const videos = sections.filter(({ media }) => media === 'video')
  const uses: SectionUse[] = []
  if (audio !== undefined) uses.push({ mid: audio.mid, use: 'microphone' })
  if (videos[0] !== undefined) uses.push({ mid: videos[0].mid, use: 'camera' })
  if (videos[1] !== undefined) uses.push({ mid: videos[1].mid, use: 'screen' })
  return uses
}

/**
 * Audio sections hear the loudest, the first the active speaker; the first video shows the main
 * picture, others the stage.
 */
function received(sections: readonly OfferedSection[]): SectionUse[] {
  const audio = sections.filter(({ media }) => media === 'audio').slice(0, AUDIO_SLOTS_MAX)
  const videos = sections.filter(({ media }) => media === 'video')
  return [
    ...audio.map(({ mid }): SectionUse => ({ mid, use: 'audio' })),
    ...videos.map(({ mid }, index): SectionUse => ({ mid, use: index === 0 ? 'main' : 'tile' })),
  ]
}

/** Uses for those sections whose direction fits the kind of session. */
export function usesOf(kind: WhipKind, offer: Offer): SectionUse[] {
  const direction = kind === 'whip' ? 'sendonly' : 'recvonly'
  const fitting = offer.sections.filter(
    (section) => section.direction === direction || section.direction === 'sendrecv',
  )
  return kind === 'whip' ? sent(fitting) : received(fitting)
}
