/**
 * Two letters on a calm colour, in place of a picture: drawn by the style, since they are no text
 * to be read.
 */
import { initialsOf } from '../initials.ts'

const COLOURS = 6

const colourOf = (name: string): number => {
  let sum = 0
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9_973
  return sum % COLOURS
}

export function Avatar({ name }: { name: string }) {
  return (
    <span
      class={`avatar avatar-${colourOf(name)}`}
      data-initials={initialsOf(name)}
      aria-hidden="true"
    />
  )
}
