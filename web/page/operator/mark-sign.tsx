/**
 * A mark by shape as well as colour: a disc with a tick, a triangle, an octagon with a cross. Silent; words stand
 * beside it.
 */
import type { Mark } from '../../../relay/status/trunk-status.ts'

const SHAPES: Readonly<Record<Mark, { body: string; sign: string }>> = {
  green: { body: 'M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Z', sign: 'M7.5 12.5l3 3 6-7' },
  amber: { body: 'M12 2.2 23 21.5H1Z', sign: 'M12 9v6M12 18v.3' },
  red: {
    body: 'M7.9 2h8.2L22 7.9v8.2L16.1 22H7.9L2 16.1V7.9Z',
    sign: 'M8.5 8.5l7 7M15.5 8.5l-7 7',
  },
}

export function MarkSign({ mark }: { mark: Mark }) {
  const { body, sign } = SHAPES[mark]
  return (
    <svg class={`op-sign ${mark}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path class="op-sign-body" d={body} />
      <path class="op-sign-sign" d={sign} />
    </svg>
  )
}
