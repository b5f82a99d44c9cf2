/** msgpackr behind the guard: plain objects only, in both directions. */
import { Packr, Unpackr } from 'msgpackr'
import { isPlainMessage, type MessageBounds } from './guard.ts'

const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: true, moreTypes: false })
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' })

/** One plain map as bytes of its own. */
export function packPlain(value: object): Uint8Array {
  return packr.pack(value)
}

/** The one plain map that fills `bytes`, or undefined for anything else. Never throws; bounds as in guard.ts. */
export function unpackPlain(bytes: Uint8Array, bounds?: MessageBounds): unknown {
  if (!isPlainMessage(bytes, bounds)) return undefined
  try {
    return unpackr.unpack(bytes)
  } catch {
    return undefined
  }
}
