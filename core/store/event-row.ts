/**
 * Events as rows. The checksum finds flipped bits and torn writes, not malice: whoever can write the file can write a
 * checksum too.
 */
import { crc32 } from 'node:zlib'
import type { EventPosition, RoomCheckpoint, RoomEvent } from '../conference/index.ts'

/** A row as SQLite gives it; damaged ones may hold anything, hence `unknown`. */
export type EventRow = Record<keyof EventColumns, unknown>

type EventColumns = {
  origin: string
  sequence: number
  time: number
  room: string
  type: string
  payload: string
  checksum: number
}

export function rowOfEvent(event: RoomEvent): EventColumns {
  const { origin, sequence, time, room, type } = event
  const columns = { origin, sequence, time, room, type, payload: JSON.stringify(event.payload) }
  return { ...columns, checksum: checksumOf(columns) }
}

/**
 * The event of a sound row; undefined when the checksum does not fit. What is sound was checked
 * field by field before it was written, so it is not checked again: a room of many thousand events
 * is read while people wait.
 */
export function eventOfRow(row: EventRow): RoomEvent | undefined {
  if (!isSound(row)) return undefined
  const payload = parseJson(row.payload)
  if (payload === undefined) return undefined
  const { origin, sequence, time, room, type } = row
  return { origin, sequence, time, room, type, payload } as RoomEvent
}

/** Whether the bytes are those that were written; cheaper than eventOfRow. */
export function isSound(row: EventRow): boolean {
  return Number(row.checksum) === checksumOf(row)
}

/** Stands in for a damaged event, so that its origin has no gap. */
export function lostEventAt(place: EventPosition): RoomEvent {
  return { ...place, room: '', type: 'lost', payload: {} }
}

/** The checksum of a checkpoint's row. */
export function checksumOfCheckpoint({ room, last, text }: RoomCheckpoint): number {
  return crc32(`${room}\n${last.time}\n${last.origin}\n${last.sequence}\n${text}`)
}

function checksumOf(row: Omit<EventRow, 'checksum'>): number {
  const { origin, sequence, time, room, type, payload } = row
  return crc32(`${origin}\n${sequence}\n${time}\n${room}\n${type}\n${payload}`)
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    return undefined
  }
}
