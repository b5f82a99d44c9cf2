/** The spatial layer of one received picture over time, from samples. */

/** Without any packet for this long the layer is unknown. */
const STALE_MS = 2_000
const LAYERS = 3

/** One per video stream. */
export class LayerTrack {
  /** Changes between known layers. */
  changes = 0
  #layer = -1
  #sinceMs = 0
  #seenMs = Number.NEGATIVE_INFINITY
  readonly #heldMs = new Float64Array(LAYERS)

  /** A packet of this layer, 0..2, arrived. */
  onLayer(layer: number, nowMs: number): void {
    if (layer < 0 || layer >= LAYERS) return
    this.#seenMs = nowMs
    if (layer === this.#layer) return
    this.#close(nowMs)
    if (this.#layer >= 0) this.changes += 1
    this.#layer = layer
    this.#sinceMs = nowMs
  }

  /** @hot A packet of this stream arrived, whatever its layer. */
  onPacket(nowMs: number): void {
    this.#seenMs = nowMs
  }

  /** Nothing is shown from here on. */
  pause(nowMs: number): void {
    this.#close(nowMs)
    this.#layer = -1
  }

  /** 0 lowest; -1 when nothing flows or nothing was sampled yet. */
  now(nowMs: number): number {
    return nowMs - this.#seenMs > STALE_MS ? -1 : this.#layer
  }

  /** Time-weighted mean of the known layers; NaN when none was known. */
  mean(nowMs: number): number {
    let heldMs = 0
    let weighted = 0
    for (let layer = 0; layer < LAYERS; layer++) {
      const openMs = layer === this.#layer ? Math.max(0, nowMs - this.#sinceMs) : 0
      const layerMs = this.#heldMs[layer]! + openMs
      heldMs += layerMs
      weighted += layerMs * layer
    }
    return heldMs === 0 ? Number.NaN : weighted / heldMs
  }

  restart(nowMs: number): void {
    this.#heldMs.fill(0)
    this.changes = 0
    this.#sinceMs = nowMs
  }

  #close(nowMs: number): void {
    if (this.#layer < 0) return
    const held = this.#heldMs[this.#layer]!
    this.#heldMs[this.#layer] = held + Math.max(0, nowMs - this.#sinceMs)
  }
}
