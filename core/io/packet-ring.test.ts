import { Worker } from 'node:worker_threads'
import test from 'ava'
import fc from 'fast-check'
import { createRingMemory, PacketRingReader, PacketRingWriter } from './packet-ring.ts'

test('property: frames come out whole and in order, through any number of wraps', (t) => {
  const step = fc.oneof(fc.nat({ max: 70 }), fc.constant('pop' as const))
  const property = fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
    const memory = createRingMemory(256)
    const writer = new PacketRingWriter(memory)
    const reader = new PacketRingReader(memory)
    const model: number[][] = []
    const out = new Uint8Array(256)
    let value = 0
    for (const one of steps) {
      if (one === 'pop') {
        const length = reader.pop(out)
        const expected = model.shift()
        t.deepEqual(length < 0 ? undefined : [...out.subarray(0, length)], expected)
        continue
      }
      const frame = Array.from({ length: one }, () => value++ & 0xff)
      const bytes = Uint8Array.from([9, 9, 9, ...frame, 9])
      if (writer.push(bytes, 3, 3 + one)) model.push(frame)
      else t.true(model.length > 0, 'an empty ring takes a frame of up to a quarter of it')
    }
    for (const frame of model) {
      const length = reader.pop(out)
      t.deepEqual([...out.subarray(0, length)], frame)
    }
    t.is(reader.pop(out), -1)
  })
  fc.assert(property, { numRuns: 500 })
})

test('a full ring refuses and keeps what it has', (t) => {
  const memory = createRingMemory(64)
  const writer = new PacketRingWriter(memory)
  const reader = new PacketRingReader(memory)
  const frame = Uint8Array.from({ length: 12 }, (_, index) => index)
  let pushed = 0
  while (writer.push(frame, 0, 12)) pushed++
  t.is(pushed, 4)
  t.false(writer.push(frame, 0, 1))
  const out = new Uint8Array(64)
  for (let i = 0; i < pushed; i++) t.is(reader.pop(out), 12)
  t.is(reader.pop(out), -1)
  t.true(writer.push(frame, 0, 12))
})

test('counters survive the wrap of 32 bits', (t) => {
  const memory = createRingMemory(64)
  const control = new Int32Array(memory)
  control[0] = -64
  control[1] = -64
  const writer = new PacketRingWriter(memory)
  const reader = new PacketRingReader(memory)
  const out = new Uint8Array(64)
  for (let i = 0; i < 100; i++) {
    t.true(writer.push(Uint8Array.of(i, 1, 2, 3, 4), 0, 5))
    t.is(reader.pop(out), 5)
    t.is(out[0], i)
  }
})

test('a sleeper is woken once, and does not fall asleep over a frame', (t) => {
  const memory = createRingMemory(64)
  const writer = new PacketRingWriter(memory)
  const reader = new PacketRingReader(memory)
  t.true(reader.sleep())
  writer.push(Uint8Array.of(1), 0, 1)
  t.true(writer.takeSleeper())
  t.false(writer.takeSleeper())
  t.false(reader.sleep())
  t.false(writer.takeSleeper())
})

test('a capacity that is not a power of two is a bug', (t) => {
  t.throws(() => createRingMemory(100), { instanceOf: RangeError })
  t.throws(() => createRingMemory(32), { instanceOf: RangeError })
})

test('two threads exchange 200,000 frames of all sizes without a loss', async (t) => {
  const memory = createRingMemory(4_096)
  const module = new URL('./packet-ring.ts', import.meta.url).href
  const program = `
    import { workerData } from 'node:worker_threads'
    import { PacketRingWriter } from '${module}'
    const writer = new PacketRingWriter(workerData)
    const bytes = new Uint8Array(300)
    for (let i = 0; i < 200_000; i++) {
      const length = 4 + (i % 290)
      new DataView(bytes.buffer).setUint32(0, i)
      bytes[length - 1] = length < 5 ? bytes[length - 1] : i & 0xff
      while (!writer.push(bytes, 0, length)) {}
    }`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), {
    workerData: memory,
  })
  const reader = new PacketRingReader(memory)
  const out = new Uint8Array(512)
  let expected = 0
  let wrong = 0
  const ended = new Promise<number>((resolve) => {
    worker.once('exit', resolve)
  })
  while (expected < 200_000) {
    const length = reader.pop(out)
    if (length < 0) {
      await new Promise(setImmediate)
      continue
    }
    const number = new DataView(out.buffer).getUint32(0)
    if (number !== expected || length !== 4 + (expected % 290)) wrong++
    if (length >= 5 && out[length - 1] !== (expected & 0xff)) wrong++
    expected++
  }
  t.is(wrong, 0)
  t.is(await ended, 0)
})
