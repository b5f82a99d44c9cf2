/*
 * HMAC-SHA1 (RFC 2104, FIPS 180-4) over four messages at once: lane i of every vector belongs to message i.
 * AssemblyScript, compiled by build.ts; not TypeScript, hence the name. No allocation, no static data: the caller
 * owns all of memory and agrees on these addresses (../hmac-sha1.ts).
 *
 *   address  bytes  what
 *   0        64     lane table: 4 × { u32 state, u32 data, u32 dataBytes, u32 out }
 *   64       16     unused
 *   128      1280   message schedule, 80 vectors
 *
 * A key's state is 40 bytes: SHA-1 chaining value after the inner pad block, then after the outer.
 */

const SCHEDULE: usize = 128

@inline function rol1(x: v128): v128 {
  return v128.or(i32x4.shl(x, 1), i32x4.shr_u(x, 31))
}
@inline function rol5(x: v128): v128 {
  return v128.or(i32x4.shl(x, 5), i32x4.shr_u(x, 27))
}
@inline function rol30(x: v128): v128 {
  return v128.or(i32x4.shl(x, 30), i32x4.shr_u(x, 2))
}
@inline function choose(b: v128, c: v128, d: v128): v128 {
  return v128.xor(d, v128.and(b, v128.xor(c, d)))
}
@inline function parity(b: v128, c: v128, d: v128): v128 {
  return v128.xor(b, v128.xor(c, d))
}
@inline function majority(b: v128, c: v128, d: v128): v128 {
  return v128.or(v128.and(b, c), v128.and(d, v128.or(b, c)))
}
/* Rotation of `a` last: it is what the next round waits for. */
@inline function sum(a: v128, f: v128, e: v128, k: v128, word: v128): v128 {
  return i32x4.add(i32x4.add(i32x4.add(i32x4.add(word, k), e), f), rol5(a))
}
/* Extends the schedule at `w` and returns the word: within the rounds, where it fills their waiting time. */
@inline function next(w: usize): v128 {
  const x = rol1(v128.xor(v128.xor(v128.load(w - 48), v128.load(w - 128)), v128.xor(v128.load(w - 224), v128.load(w - 256))))
  v128.store(w, x)
  return x
}
@inline function swapped(address: usize): v128 {
  const x = v128.load(address)
  return v128.shuffle<u8>(x, x, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)
}

let h0: v128 = i32x4.splat(0)
let h1: v128 = i32x4.splat(0)
let h2: v128 = i32x4.splat(0)
let h3: v128 = i32x4.splat(0)
let h4: v128 = i32x4.splat(0)

/* One block: words 0..15 of the schedule are in place. */
function compress(): void {
  let a = h0, b = h1, c = h2, d = h3, e = h4
  let w: usize = SCHEDULE
  let k = i32x4.splat(0x5a827999)
  for (; w < SCHEDULE + 240; w += 80) {
    e = sum(a, choose(b, c, d), e, k, v128.load(w)); b = rol30(b)
    d = sum(e, choose(a, b, c), d, k, v128.load(w + 16)); a = rol30(a)
    c = sum(d, choose(e, a, b), c, k, v128.load(w + 32)); e = rol30(e)
    b = sum(c, choose(d, e, a), b, k, v128.load(w + 48)); d = rol30(d)
    a = sum(b, choose(c, d, e), a, k, v128.load(w + 64)); c = rol30(c)
  }
  e = sum(a, choose(b, c, d), e, k, v128.load(w)); b = rol30(b)
  d = sum(e, choose(a, b, c), d, k, next(w + 16)); a = rol30(a)
  c = sum(d, choose(e, a, b), c, k, next(w + 32)); e = rol30(e)
  b = sum(c, choose(d, e, a), b, k, next(w + 48)); d = rol30(d)
  a = sum(b, choose(c, d, e), a, k, next(w + 64)); c = rol30(c)
  w += 80
  k = i32x4.splat(0x6ed9eba1)
  for (; w < SCHEDULE + 640; w += 80) {
    e = sum(a, parity(b, c, d), e, k, next(w)); b = rol30(b)
    d = sum(e, parity(a, b, c), d, k, next(w + 16)); a = rol30(a)
    c = sum(d, parity(e, a, b), c, k, next(w + 32)); e = rol30(e)
    b = sum(c, parity(d, e, a), b, k, next(w + 48)); d = rol30(d)
    a = sum(b, parity(c, d, e), a, k, next(w + 64)); c = rol30(c)
  }
  k = i32x4.splat(0x8f1bbcdc)
  for (; w < SCHEDULE + 960; w += 80) {
    e = sum(a, majority(b, c, d), e, k, next(w)); b = rol30(b)
    d = sum(e, majority(a, b, c), d, k, next(w + 16)); a = rol30(a)
    c = sum(d, majority(e, a, b), c, k, next(w + 32)); e = rol30(e)
    b = sum(c, majority(d, e, a), b, k, next(w + 48)); d = rol30(d)
    a = sum(b, majority(c, d, e), a, k, next(w + 64)); c = rol30(c)
  }
  k = i32x4.splat(0xca62c1d6)
  for (; w < SCHEDULE + 1280; w += 80) {
    e = sum(a, parity(b, c, d), e, k, next(w)); b = rol30(b)
    d = sum(e, parity(a, b, c), d, k, next(w + 16)); a = rol30(a)
    c = sum(d, parity(e, a, b), c, k, next(w + 32)); e = rol30(e)
    b = sum(c, parity(d, e, a), b, k, next(w + 48)); d = rol30(d)
    a = sum(b, parity(c, d, e), a, k, next(w + 64)); c = rol30(c)
  }
  h0 = i32x4.add(h0, a)
  h1 = i32x4.add(h1, b)
  h2 = i32x4.add(h2, c)
  h3 = i32x4.add(h3, d)
  h4 = i32x4.add(h4, e)
}

/* Sixteen bytes of each of four messages, transposed into four vectors of the schedule. */
@inline function gather(to: usize, p0: usize, p1: usize, p2: usize, p3: usize): void {
  const a = swapped(p0), b = swapped(p1), c = swapped(p2), d = swapped(p3)
  const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5)
  const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5)
  const AB = v128.shuffle<u32>(a, b, 2, 6, 3, 7)
  const CD = v128.shuffle<u32>(c, d, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<u64>(ab, cd, 0, 2))
  v128.store(to + 16, v128.shuffle<u64>(ab, cd, 1, 3))
  v128.store(to + 32, v128.shuffle<u64>(AB, CD, 0, 2))
  v128.store(to + 48, v128.shuffle<u64>(AB, CD, 1, 3))
}

@inline function word(p0: usize, p1: usize, p2: usize, p3: usize): v128 {
  let x = i32x4.splat(load<i32>(p0))
  x = i32x4.replace_lane(x, 1, load<i32>(p1))
  x = i32x4.replace_lane(x, 2, load<i32>(p2))
  return i32x4.replace_lane(x, 3, load<i32>(p3))
}

@inline function loadState(p0: usize, p1: usize, p2: usize, p3: usize): void {
  h0 = word(p0, p1, p2, p3)
  h1 = word(p0 + 4, p1 + 4, p2 + 4, p3 + 4)
  h2 = word(p0 + 8, p1 + 8, p2 + 8, p3 + 8)
  h3 = word(p0 + 12, p1 + 12, p2 + 12, p3 + 12)
  h4 = word(p0 + 16, p1 + 16, p2 + 16, p3 + 16)
}

/* SHA-1 padding behind a message that already fills its pad block: the length counts those 64 bytes. */
function pad(data: usize, bytes: usize, blocks: usize): void {
  const end = data + (blocks << 6)
  memory.fill(data + bytes, 0, end - data - bytes)
  store<u8>(data + bytes, 0x80)
  store<u32>(end - 4, bswap<u32>(u32((bytes + 64) << 3)))
}

@inline function storeTag(out: usize, lane0: u32, lane1: u32, lane2: u32): void {
  store<u32>(out, bswap<u32>(lane0))
  store<u32>(out + 4, bswap<u32>(lane1))
  store<u16>(out + 8, bswap<u16>(u16(lane2 >>> 16)))
}

/*
 * Writes the first ten bytes of HMAC-SHA1(data) of the first `count` lanes to their `out`. All four lanes must be
 * filled in and span the same number of blocks. Up to 72 bytes behind each message are overwritten first.
 */
export function tags(count: i32): void {
  const s0: usize = load<u32>(0), s1: usize = load<u32>(16), s2: usize = load<u32>(32), s3: usize = load<u32>(48)
  let p0: usize = load<u32>(4), p1: usize = load<u32>(20), p2: usize = load<u32>(36), p3: usize = load<u32>(52)
  const blocks: usize = (load<u32>(8) + 72) >> 6
  pad(p0, load<u32>(8), blocks)
  if (count > 1) pad(p1, load<u32>(24), blocks)
  if (count > 2) pad(p2, load<u32>(40), blocks)
  if (count > 3) pad(p3, load<u32>(56), blocks)
  loadState(s0, s1, s2, s3)
  for (let i: usize = 0; i < blocks; i++) {
    gather(SCHEDULE, p0, p1, p2, p3)
    gather(SCHEDULE + 64, p0 + 16, p1 + 16, p2 + 16, p3 + 16)
    gather(SCHEDULE + 128, p0 + 32, p1 + 32, p2 + 32, p3 + 32)
    gather(SCHEDULE + 192, p0 + 48, p1 + 48, p2 + 48, p3 + 48)
    compress()
    p0 += 64
    p1 += 64
    p2 += 64
    p3 += 64
  }
  v128.store(SCHEDULE, h0)
  v128.store(SCHEDULE + 16, h1)
  v128.store(SCHEDULE + 32, h2)
  v128.store(SCHEDULE + 48, h3)
  v128.store(SCHEDULE + 64, h4)
  v128.store(SCHEDULE + 80, i32x4.splat(0x80000000))
  for (let w: usize = SCHEDULE + 96; w < SCHEDULE + 240; w += 16) v128.store(w, i32x4.splat(0))
  v128.store(SCHEDULE + 240, i32x4.splat((64 + 20) * 8))
  loadState(s0 + 20, s1 + 20, s2 + 20, s3 + 20)
  compress()
  storeTag(load<u32>(12), i32x4.extract_lane(h0, 0), i32x4.extract_lane(h1, 0), i32x4.extract_lane(h2, 0))
  if (count > 1) storeTag(load<u32>(28), i32x4.extract_lane(h0, 1), i32x4.extract_lane(h1, 1), i32x4.extract_lane(h2, 1))
  if (count > 2) storeTag(load<u32>(44), i32x4.extract_lane(h0, 2), i32x4.extract_lane(h1, 2), i32x4.extract_lane(h2, 2))
  if (count > 3) storeTag(load<u32>(60), i32x4.extract_lane(h0, 3), i32x4.extract_lane(h1, 3), i32x4.extract_lane(h2, 3))
}

@inline function storeState(to: usize, lane: u8): void {
  // Lane 0 holds the inner chaining value, lane 1 the outer.
  if (lane == 0) {
    store<i32>(to, i32x4.extract_lane(h0, 0))
    store<i32>(to + 4, i32x4.extract_lane(h1, 0))
    store<i32>(to + 8, i32x4.extract_lane(h2, 0))
    store<i32>(to + 12, i32x4.extract_lane(h3, 0))
    store<i32>(to + 16, i32x4.extract_lane(h4, 0))
  } else {
    store<i32>(to, i32x4.extract_lane(h0, 1))
    store<i32>(to + 4, i32x4.extract_lane(h1, 1))
    store<i32>(to + 8, i32x4.extract_lane(h2, 1))
    store<i32>(to + 12, i32x4.extract_lane(h3, 1))
    store<i32>(to + 16, i32x4.extract_lane(h4, 1))
  }
}

/* Prepares `state` (40 bytes) from the 64-byte inner and outer pad blocks that stand at `pads`; wipes them. */
export function prepare(state: usize, pads: usize): void {
  for (let i: usize = 0; i < 64; i += 16) {
    gather(SCHEDULE + (i << 2), pads + i, pads + 64 + i, pads + i, pads + i)
  }
  h0 = i32x4.splat(0x67452301)
  h1 = i32x4.splat(0xefcdab89)
  h2 = i32x4.splat(0x98badcfe)
  h3 = i32x4.splat(0x10325476)
  h4 = i32x4.splat(0xc3d2e1f0)
  compress()
  storeState(state, 0)
  storeState(state + 20, 1)
  memory.fill(pads, 0, 128)
}

/* XORs `bytes` from `from` into `to`, in groups of 16: up to 15 bytes behind the end change too. */
export function xor(to: usize, from: usize, bytes: i32): void {
  const end = to + <usize>bytes
  for (; to < end; to += 16, from += 16) v128.store(to, v128.xor(v128.load(to), v128.load(from)))
}
