/** Who may do what: the one permission table (docs/PROTOCOL.md §1.1, column "who"). */

export type Role = 'chair' | 'speaker' | 'viewer' | 'observer'

/** What a permission is asked for; `-others` is the same act on someone else. */
export type Act =
  | 'publish'
  | 'mute-self'
  | 'mute-others'
  | 'hand'
  | 'hand-others'
  | 'chat'
  | 'stage'
  | 'pin'
  | 'kick'
  | 'lock'
  | 'emergency'
  | 'poll'
  | 'vote'
  | 'close-room'
  | 'succession'
  | 'join-locked'
  | 'start-on-stage'
  | 'be-on-stage'

const PERMITTED: Record<Role, ReadonlySet<Act>> = {
  chair: new Set<Act>([
    'publish',
    'mute-self',
    'mute-others',
    'hand',
    'hand-others',
    'chat',
    'stage',
    'pin',
    'kick',
    'lock',
    'emergency',
    'poll',
    'vote',
    'close-room',
    'succession',
    'join-locked',
    'start-on-stage',
    'be-on-stage',
  ]),
  speaker: new Set<Act>([
    'publish',
    'mute-self',
    'hand',
    'chat',
    'vote',
    'start-on-stage',
    'be-on-stage',
  ]),
  viewer: new Set<Act>(['publish', 'mute-self', 'hand', 'chat', 'vote', 'be-on-stage']),
  observer: new Set<Act>([]),
}

/**
 * What the acting chair of an island may besides what the role allows. Not to close the room, which is open
 * elsewhere, nor to say who is next.
 */
const PERMITTED_TO_ACTING: ReadonlySet<Act> = new Set<Act>([
  'mute-others',
  'hand-others',
  'stage',
  'pin',
  'kick',
  'lock',
  'emergency',
  'poll',
])

export const ROLES = ['chair', 'speaker', 'viewer', 'observer'] as const satisfies readonly Role[]

/**
 * Whether the role as such may; `publish` additionally needs the stage. `acting`: on an island, in the chair's place.
 */
export function may(role: Role, act: Act, acting = false): boolean {
  return PERMITTED[role].has(act) || (acting && PERMITTED_TO_ACTING.has(act))
}
