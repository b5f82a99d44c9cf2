/**
 * Membership of forwarders in the dense subscriber arrays of source layers: constant time both
 * ways. A forwarder stands once in its current layer and, while another is awaited, once in its
 * target.
 */
import type { Forwarder } from './forwarder.ts'
import type { SourceLayer } from './source-layer.ts'

/** Adds the forwarder as one that awaits this layer. */
export function subscribe(layer: SourceLayer, forwarder: Forwarder): void {
  forwarder.targetPlace = layer.subscribers.length
  layer.subscribers.push(forwarder)
}

/**
 * Takes it out; the last one moves into its place, so iterate backwards where `accept` may lead
 * here. Call it before `current` or `target` change.
 */
export function unsubscribe(layer: SourceLayer, forwarder: Forwarder): void {
  const isCurrent = forwarder.current === layer
  const place = isCurrent ? forwarder.currentPlace : forwarder.targetPlace
  const last = layer.subscribers.pop()!
  if (last !== forwarder) {
    layer.subscribers[place] = last
    if (last.current === layer) last.currentPlace = place
    else last.targetPlace = place
  }
  if (isCurrent) forwarder.currentPlace = -1
  else forwarder.targetPlace = -1
}
