/** Polls in figures, and what makes a poll that can be opened. Pure. */
import type { Poll } from '../sdk/index.ts'

/** As the server takes it (docs/PROTOCOL.md §1.1). */
export const QUESTION_LENGTH_MAX = 300
export const OPTION_LENGTH_MAX = 100
export const OPTIONS_MIN = 2
export const OPTIONS_MAX = 10

export const votesOf = ({ counts }: Poll): number => counts.reduce((sum, count) => sum + count, 0)

/** 0..100, a whole number; 0 while nobody has voted. */
export const percentOf = (poll: Poll, option: number): number => {
  const total = votesOf(poll)
  return total === 0 ? 0 : Math.round(((poll.counts[option] ?? 0) / total) * 100)
}

/** What is to be asked; `undefined` while a text is missing or two answers are the same. */
export const pollDraft = (
  question: string,
  options: readonly string[],
): { question: string; options: string[] } | undefined => {
  const texts = options.map((option) => option.trim())
  const asked = question.trim()
  const whole = asked !== '' && texts.every((text) => text !== '')
  if (!whole || new Set(texts).size < texts.length || texts.length < OPTIONS_MIN) return undefined
  return { question: asked, options: texts }
}
