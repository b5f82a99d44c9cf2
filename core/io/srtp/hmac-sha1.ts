/** Per-thread HMAC-SHA1 (RFC 2104) with prepared keys, and the slab that sealed packets are sent from. */

export interface HmacSha1 {
  /** 'simd': four packets at once in WASM; 'hash': `node:crypto`, where SIMD is missing. */
  readonly kind: 'simd' | 'hash'
  /** Sealed packets lie here. Its buffer never moves or grows. */
  readonly slab: Uint8Array
}
