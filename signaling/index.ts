/**
 * The doors: all that a client can reach. `openDoor` listens, `createSignaling` stands behind it: WebSocket sessions,
 * WHIP and WHEP, REST, health, metrics and the page. Not the conference (core/conference) and not media (core/io).
 */

export type { Door, DoorHandlers, DoorOptions } from './door.ts'
