/** The two servers behind the door. */
export { type DoorPreference, openDoor, probeDoor } from './open-door.ts'
