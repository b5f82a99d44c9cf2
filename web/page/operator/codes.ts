/**
 * Closed sets of relay/trunk and relay/status, in their order; a test holds them to it. The page must not bundle the
 * server.
 */
import type { Trouble } from '../../../relay/status/trunk-status.ts'
import type { TrunkClass } from '../../../relay/trunk/contract.ts'

/** Order of `shares`, most important first. */
export const CLASS_ORDER = [
  'emergency-audio',
  'stage-audio',
  'control',
  'slides',
  'main-base',
  'other-base',
  'enhancement',
  'catch-up',
] as const satisfies readonly TrunkClass[]

/** Worst first. */
export const TROUBLE_ORDER = [
  'lost',
  'silent',
  'audio-shed',
  'unrepaired',
  'picture-off',
  'picture-stills',
  'picture-reduced',
  'tiles-shed',
  'pre-empted',
  'loss',
  'queue',
  'delay',
] as const satisfies readonly Trouble[]
