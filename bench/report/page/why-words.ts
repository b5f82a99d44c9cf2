/**
 * What was wrong with a site, as bench/site/figures.ts says it in English, in the page's language.
 */
import { currentLanguage } from './dictionary.ts'

/** `$1` is the figure. A sentence that is not here stays as it is. */
const VIETNAMESE: readonly (readonly [RegExp, string])[] = [
  [/^(.+) packets were not what was sent$/, '$1 gói tin không đúng như đã gửi'],
  [/^(.+ %) of the sound had to be concealed$/, 'phải bù $1 âm thanh'],
  [/^no sound for (.+)$/, 'mất tiếng $1'],
  [/^the picture stood still (.+ %) of the time$/, 'đứng hình $1 thời gian'],
  [/^picture back only (.+) after an outage$/, 'sau khi đứt, $1 mới có hình lại'],
  [/^sound back only (.+) after an outage$/, 'sau khi đứt, $1 mới có tiếng lại'],
  [/^(.+ %) of audio packets lost$/, 'mất $1 gói âm thanh'],
  [/^(.+ %) of video packets lost$/, 'mất $1 gói hình'],
  [/^sound (.+) late \(p99\)$/, 'tiếng trễ $1 (p99)'],
  [/^media could not be connected (.+) times$/, '$1 lần không nối được kênh truyền'],
  [/^lost its connection (.+) times$/, 'mất kết nối $1 lần'],
]

/** One sentence of `SiteReport.why`. */
export function whyInWords(sentence: string): string {
  if (currentLanguage() === 'en') return sentence
  const found = VIETNAMESE.find(([pattern]) => pattern.test(sentence))
  return found === undefined ? sentence : sentence.replace(found[0], found[1])
}
