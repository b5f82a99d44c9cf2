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

export const ROLES = ['chair', 'speaker', 'viewer', 'observer'] as const satisfies readonly Role[]

/** Whether the role as such may; `publish` additionally needs the stage. */
export function may(role: Role, act: Act): boolean {
  return PERMITTED[role].has(act)
}
