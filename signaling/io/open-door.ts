/**
 * Chooses a door: uWebSockets.js where its binary loads, otherwise `ws`; or the one that the
 * operator named.
 */

import type { Door, DoorOptions } from '../door.ts'
import { loadUws, openUwsDoor } from './uws-door.ts'
import { openWsDoor } from './ws-door.ts'

export type DoorPreference = 'auto' | 'uws' | 'ws'

/**
 * Which door `auto` would take here and why, without opening it: for `doctor` and the start log.
 */
export function probeDoor(): { kind: 'uws' | 'ws'; reason: string } {
  const loaded = loadUws()
  return 'uws' in loaded
    ? { kind: 'uws', reason: 'the native binary of uWebSockets.js loads' }
    : { kind: 'ws', reason: `uWebSockets.js does not load: ${loaded.reason}` }
}

/**
 * Opens the preferred door and says why it is this one. Rejects when the port is taken, the TLS
 * files cannot be read, or `uws` was asked for and does not load.
 */
export async function openDoor(
  preference: DoorPreference,
  options: DoorOptions,
): Promise<{ door: Door; reason: string }> {
  if (preference === 'ws') return { door: await openWsDoor(options), reason: 'chosen by setting' }
  const loaded = loadUws()
  if ('uws' in loaded) {
    const reason = preference === 'uws' ? 'chosen by setting' : 'the native binary loads'
    return { door: await openUwsDoor(loaded.uws, options), reason }
  }
  if (preference === 'uws') {
    throw new Error(`the door uws was chosen, but its binary does not load: ${loaded.reason}`)
  }
  const reason = `uWebSockets.js does not load: ${loaded.reason}`
  return { door: await openWsDoor(options), reason }
}
