/**
 * From figures to an honest mark. Thresholds (docs/PROTOCOL.md §1.6): red when a stream that should
 * be there is not, or from 10 % loss or 800 ms round trip; amber from 2 % loss, 300 ms, 60 ms
 * jitter, or when the picture is smaller than the view would allow; green otherwise, also for
 * streams that nobody asked for.
 */

import type { StreamQuality } from '../../core/media/control.ts'
import type { StreamMark } from '../protocol/index.ts'

const RED = { lossRatio: 0.1, rttMs: 800 } as const
const AMBER = { lossRatio: 0.02, rttMs: 300, jitterMs: 60 } as const

type Verdict = Pick<StreamMark, 'mark' | 'reason'>

function judge(stream: StreamQuality): Verdict {
  const { lossRatio, rttMs, jitterMs, spatialLayer, spatialLayerWanted, reason } = stream
  if (spatialLayerWanted < 0 && reason !== 'no-packets') return { mark: 'green', reason: 'none' }
  if (reason === 'no-packets') return { mark: 'red', reason }
  if (spatialLayer < 0) return { mark: 'red', reason: reason === 'none' ? 'bandwidth' : reason }
  if (lossRatio >= RED.lossRatio) return { mark: 'red', reason: 'loss' }
  if (rttMs >= RED.rttMs) return { mark: 'red', reason: 'delay' }
  if (lossRatio >= AMBER.lossRatio) return { mark: 'amber', reason: 'loss' }
  if (rttMs >= AMBER.rttMs || jitterMs >= AMBER.jitterMs) return { mark: 'amber', reason: 'delay' }
  if (spatialLayer < spatialLayerWanted) {
    return { mark: 'amber', reason: reason === 'none' ? 'bandwidth' : reason }
  }
  return { mark: 'green', reason: 'none' }
}

/** The entry of a `quality` message. */
export function markOf(stream: StreamQuality): StreamMark {
  return {
    mid: stream.mid,
    direction: stream.direction,
    ...judge(stream),
    bitrateBps: stream.bitrateBps,
    lossRatio: stream.lossRatio,
    rttMs: stream.rttMs,
    spatialLayer: stream.spatialLayer,
  }
}
