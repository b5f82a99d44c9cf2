/**
 * A frame that is larger than a datagram goes in parts, each a frame of its own; here they come
 * together again.
 *
 *   FRAGMENT  id (8) | part (4) count - 1 (4) | offset varint | bytes
 *   of the whole: the frame's head byte without L, and its body
 */
import { TRUNK_FRAGMENT_BYTES_MAX, TRUNK_FRAGMENTED_FRAMES_MAX } from '../../config/limits.ts'
import { type WireReader, writeVarint } from './varint.ts'

/** Head of a fragment's body, at most. */
export const FRAGMENT_HEAD_BYTES_MAX = 4
export const FRAGMENT_PARTS_MAX = 16

export type FragmentPlace = {
  /** Of the whole frame, 0..255, wraps. */
  id: number
  part: number
  count: number
  /** Of this part in the whole. */
  offset: number
}

/** Returns where the bytes of the part go. */
export function writeFragmentHead(out: Uint8Array, at: number, place: FragmentPlace): number {
  out[at] = place.id
  out[at + 1] = (place.part << 4) | (place.count - 1)
  return writeVarint(out, at + 2, place.offset)
}

/** The parts of one frame. */
class Assembly {
  id = -1
  count = 0
  /** Parts that are there, bit by bit. */
  mask = 0
  end = 0
  readonly bytes = new Uint8Array(TRUNK_FRAGMENT_BYTES_MAX)
}

/** Puts frames together; bounded: the one begun longest ago makes room. */
export class Defragmenter {
  /** The whole, `bytes[0, end)`; valid until the next call. */
  bytes: Uint8Array = new Uint8Array(0)
  end = 0
  readonly #assemblies: Assembly[] = []
  #turn = 0

  /** Takes the body of one fragment; true when its frame is whole: head byte first. */
  add(reader: WireReader): boolean {
    const id = reader.uint8()
    const place = reader.uint8()
    const offset = reader.varint()
    const part = place >> 4
    const count = (place & 15) + 1
    const length = reader.end - reader.at
    if (reader.failed || part >= count || offset + length > TRUNK_FRAGMENT_BYTES_MAX) return false
    const assembly = this.#of(id, count)
    const bit = 1 << part
    if ((assembly.mask & bit) !== 0) return false
    assembly.mask |= bit
    for (let i = 0; i < length; i++) assembly.bytes[offset + i] = reader.bytes[reader.at + i]!
    if (part === count - 1) assembly.end = offset + length
    if (assembly.mask !== (1 << count) - 1) return false
    this.bytes = assembly.bytes
    this.end = assembly.end
    assembly.id = -1
    return this.end > 0
  }

  #of(id: number, count: number): Assembly {
    for (const assembly of this.#assemblies) {
      if (assembly.id === id && assembly.count === count) return assembly
    }
    const assembly = this.#fresh()
    assembly.id = id
    assembly.count = count
    assembly.mask = 0
    assembly.end = 0
    return assembly
  }

  #fresh(): Assembly {
    if (this.#assemblies.length < TRUNK_FRAGMENTED_FRAMES_MAX) {
      const assembly = new Assembly()
      this.#assemblies.push(assembly)
      return assembly
    }
    this.#turn = (this.#turn + 1) % TRUNK_FRAGMENTED_FRAMES_MAX
    return this.#assemblies[this.#turn]!
  }
}
