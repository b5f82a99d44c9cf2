/**
 * What people may expect of a link that was measured: a pure function of its rate, loss and round trip. The figures are
 * those of this program: what its pages send, what its trunks add.
 */
import type { DirectionFigures, LinkTestResult } from './figures.ts'

/**
 * An estimate goes up and down below what a link carries; so much of it is used for certain
 * (test/sim/trunk-estimate.test.ts).
 */
const USABLE_SHARE = 0.85
/** A voice as pages send it, 32 kbit/s in packets of 20 ms, with the headers of a trunk. */
const VOICE_BPS = 52_000
/** The least that a voice is still asked for: 12 kbit/s in packets of 60 ms (relay/budget/audio.ts). */
const VOICE_BPS_MIN = 22_000
/** Layers of a camera (web/sdk/media.ts), and what a trunk's headers add to video. */
const LAYERS = [
  { picture: '720p', bitrateBps: 1_700_000 },
  { picture: '360p', bitrateBps: 500_000 },
  { picture: '180p', bitrateBps: 150_000 },
] as const
const VIDEO_OVERHEAD = 1.07
/** A picture of 180 lines is 10 to 15 kB: one every five seconds or so. */
const STILLS_BPS = 20_000
/** From here on audio is copied, and base layers get parity (relay/repair/plan.ts). */
const LOSS_REPAIRED = 0.01
/** Above it copies do not mend all; above the second, syllables are missing all the time. */
const LOSS_AUDIBLE = 0.12
const LOSS_BAD = 0.25
/** ITU-T G.114: 150 ms one way are not noticed; with 400 ms people talk into each other. */
const DELAY_NOTICED_MS = 300
const DELAY_HARD_MS = 800

export type Expectation = {
  /** clear: as spoken; thin: lower rate and longer packets; gaps: syllables are missing; none: no talk. */
  audio: 'clear' | 'thin' | 'gaps' | 'none'
  /** The main picture: its height, a still every few seconds, or none. */
  picture: '720p' | '360p' | '180p' | 'stills' | 'none'
  /** A second one beside it, small. */
  second: boolean
  /** Of the way there and back. */
  delay: 'good' | 'noticed' | 'hard'
}

/** Of one direction; `rttMs` without load. */
export function expectationOf(
  { rateBps, lossRatio }: Pick<DirectionFigures, 'rateBps' | 'lossRatio'>,
  rttMs: number,
): Expectation {
  const usableBps = rateBps * USABLE_SHARE * (1 - lossRatio)
  const isRepaired = lossRatio >= LOSS_REPAIRED
  const voiceBps = VOICE_BPS * (isRepaired ? 2 : 1)
  const audio = audioOf({ usableBps, lossRatio, voiceBps })
  // A thin voice leaves the rest to the picture as well as a full one does.
  const restBps = usableBps - Math.min(voiceBps, usableBps * 0.6)
  // Parity of the base: about twice what is lost.
  const factor = VIDEO_OVERHEAD * (isRepaired ? 1 + 2 * lossRatio : 1)
  const layer = LAYERS.find(({ bitrateBps }) => bitrateBps * factor <= restBps)
  const stills = restBps >= STILLS_BPS ? 'stills' : 'none'
  const leftBps = restBps - (layer?.bitrateBps ?? 0) * factor
  return {
    audio,
    picture: audio === 'none' ? 'none' : (layer?.picture ?? stills),
    second: layer !== undefined && leftBps >= LAYERS[2].bitrateBps * factor,
    delay: rttMs >= DELAY_HARD_MS ? 'hard' : rttMs >= DELAY_NOTICED_MS ? 'noticed' : 'good',
  }
}

function audioOf(of: {
  usableBps: number
  lossRatio: number
  voiceBps: number
}): Expectation['audio'] {
  const { usableBps, lossRatio, voiceBps } = of
  if (usableBps < VOICE_BPS_MIN || lossRatio > LOSS_BAD) return 'none'
  if (lossRatio > LOSS_AUDIBLE) return 'gaps'
  return usableBps >= voiceBps ? 'clear' : 'thin'
}

export type Language = 'vi' | 'en'

const WORDS = {
  vi: {
    audio: {
      clear: 'tiếng rõ',
      thin: 'tiếng nghe được nhưng mỏng',
      gaps: 'tiếng bị ngắt quãng',
      none: 'không nói chuyện được',
    },
    picture: {
      '720p': 'hình chính 720p',
      '360p': 'hình chính 360p',
      '180p': 'hình chính 180p',
      stills: 'hình chính chỉ là ảnh tĩnh vài giây một lần',
      none: 'không có hình',
    },
    and: 'và',
    second: ['; không có hình thứ hai', '; thêm một hình nhỏ thứ hai'],
    delay: {
      good: '',
      noticed: '; nghe trả lời chậm, nên nói từng người',
      hard: '; trả lời rất chậm, phải nói từng người',
    },
    down: 'Ở đây',
    up: 'Nơi khác thấy từ đây',
  },
  en: {
    audio: {
      clear: 'clear audio',
      thin: 'audio that can be understood but is thin',
      gaps: 'audio with gaps',
      none: 'no conversation',
    },
    picture: {
      '720p': 'main picture at 720p',
      '360p': 'main picture at 360p',
      '180p': 'main picture at 180p',
      stills: 'main picture as a still every few seconds',
      none: 'no picture',
    },
    and: 'and',
    second: ['; no second picture', '; a small second picture too'],
    delay: {
      good: '',
      noticed: '; answers come late, so speak in turn',
      hard: '; answers come very late, speak strictly in turn',
    },
    down: 'Here',
    up: 'Others get from here',
  },
} as const

/** What to expect here, and of us elsewhere, in one sentence. */
export function sentenceOf({ down, up, rttMs }: LinkTestResult, language: Language): string {
  const words = WORDS[language]
  const part = ({ audio, picture, second }: Expectation): string => {
    const hasPicture = picture !== 'none'
    const end = hasPicture ? words.second[second ? 1 : 0] : ''
    return `${words.picture[picture]} ${words.and} ${words.audio[audio]}${end}`
  }
  const here = expectationOf(down, rttMs)
  const there = expectationOf(up, rttMs)
  return `${words.down}: ${part(here)}. ${words.up}: ${part(there)}${words.delay[here.delay]}.`
}
