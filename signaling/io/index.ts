/** The two servers behind the door. */

export { registerDoorMetrics } from './metrics.ts'
export { type DoorPreference, openDoor } from './open-door.ts'
