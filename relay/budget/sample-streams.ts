/** Streams and budgets as the tests of this folder need them. */
import {
  createTrunkBudget,
  createTrunkStream,
  type TrunkBudget,
  type TrunkStream,
} from './index.ts'

type Facts = Partial<Pick<TrunkStream, 'place' | 'emergency' | 'room' | 'wantedMask'>>

/** Bit/s of a usual camera's layers. */
export const CAMERA = [150_000, 500_000, 1_000_000]

let nextId = 1

export function voice(bitrateBps: number, facts: Facts = {}): TrunkStream {
  const stream = createTrunkStream({
    streamId: nextId++,
    kind: 'audio',
    use: 'microphone',
    layerCount: 1,
  })
  Object.assign(stream, { place: 'heard', wantedMask: 1, ...facts })
  stream.layers[0]!.bitrateBps = bitrateBps
  return stream
}

/** Layers in bit/s, each with three temporal layers of 40, 60 and 100 %. */
export function picture(
  rates: number[],
  facts: Facts & { use?: 'camera' | 'screen' } = {},
): TrunkStream {
  const { use = 'camera', ...rest } = facts
  const stream = createTrunkStream({
    streamId: nextId++,
    kind: 'video',
    use,
    layerCount: rates.length,
  })
  Object.assign(stream, { place: 'main', wantedMask: 1 << (rates.length - 1), ...rest })
  stream.keyframeBytes = 5_000
  rates.forEach((bitrateBps, i) => {
    stream.layers[i] = {
      bitrateBps,
      heightPx: 180 << i,
      temporalShare: [0.4, 0.6, 1, 1],
      temporalMax: 2,
    }
  })
  return stream
}

/** Without headers, so that sums are the numbers in the tests. */
export function bareBudget(availableBps: number): TrunkBudget {
  const budget = createTrunkBudget()
  budget.datagramOverheadBytes = 0
  budget.availableBps = availableBps
  return budget
}
