/** Two letters on a calm colour, in place of a picture. */

/** Vietnamese names end with the given name: last word first, then the first word. */
export const initialsOf = (name: string): string => {
  const words = name.trim().split(/\s+/).filter(Boolean)
  const first = [...(words[0] ?? '')][0] ?? ''
  const last = words.length > 1 ? ([...(words.at(-1) ?? '')][0] ?? '') : ''
  return `${first}${last}`.toLocaleUpperCase('vi')
}

const COLOURS = 6

const colourOf = (name: string): number => {
  let sum = 0
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9_973
  return sum % COLOURS
}

export function Avatar({ name }: { name: string }) {
  return (
    <span class={`avatar avatar-${colourOf(name)}`} aria-hidden="true">
      {initialsOf(name)}
    </span>
  )
}
