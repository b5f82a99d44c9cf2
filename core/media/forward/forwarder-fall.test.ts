import test from 'ava'
import { DROP_CODE } from '../rtp/index.ts'
import { createForwarder, give, type Sent } from './simulated-slot.ts'
import { SimulatedSource } from './simulated-source.ts'

const layerOf = (spatialLayer: number): SimulatedSource =>
  new SimulatedSource({
    publicationId: 1,
    spatialLayer,
    sequence: 65_533,
    timestamp: 1_000,
    pictureId: 0x7ffe,
    tl0PicIdx: 254,
  })

test('on the way down the dear layer goes on in its base frames only, and the cheap one in all', (t) => {
  const forwarder = createForwarder({})
  const [cheap, dear] = [layerOf(0), layerOf(2)]
  const sent: Sent[] = []
  forwarder.retarget(dear.layer, 0)
  for (const packet of dear.frame(0, 2)) give({ forwarder, source: dear, packet, sent })
  forwarder.retarget(cheap.layer, 10)
  const [middle] = dear.frame(33, 1)
  t.is(give({ forwarder, source: dear, packet: middle!, sent }), DROP_CODE['temporal-filtered'])
  for (let i = 2; i < 9; i++) {
    for (const packet of dear.frame(i * 33, 2)) give({ forwarder, source: dear, packet, sent })
  }
  t.deepEqual([...new Set(sent.map((row) => row.temporalLayer))], [0])
  t.is(sent.length, 6)

  for (let i = 9; i < 13; i++) {
    for (const packet of cheap.frame(i * 33, 1)) give({ forwarder, source: cheap, packet, sent })
  }
  t.deepEqual(
    sent.slice(6).map((row) => row.temporalLayer),
    [0, 2, 1, 2],
  )
  t.deepEqual(
    sent.map(({ index }) => index - sent[0]!.index),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  )
})

test('who changes its mind before the keyframe gets all frames of the dear layer again', (t) => {
  const forwarder = createForwarder({})
  const [cheap, dear] = [layerOf(0), layerOf(1)]
  const sent: Sent[] = []
  forwarder.retarget(dear.layer, 0)
  for (const packet of dear.frame(0, 1)) give({ forwarder, source: dear, packet, sent })
  forwarder.retarget(cheap.layer, 10)
  for (let i = 1; i < 4; i++) {
    for (const packet of dear.frame(i * 33, 1)) give({ forwarder, source: dear, packet, sent })
  }
  t.is(sent.length, 1)
  forwarder.retarget(dear.layer, 130)
  for (let i = 4; i < 8; i++) {
    for (const packet of dear.frame(i * 33, 1)) give({ forwarder, source: dear, packet, sent })
  }
  t.deepEqual(
    sent.slice(1).map((row) => row.temporalLayer),
    [0, 2, 1, 2],
  )
})

test('moving up, and to another picture, the old one is held in all its frames', (t) => {
  for (const next of [layerOf(2), new SimulatedSource({ ...OTHER, publicationId: 2 })]) {
    const forwarder = createForwarder({})
    const source = layerOf(1)
    const sent: Sent[] = []
    forwarder.retarget(source.layer, 0)
    for (const packet of source.frame(0, 1)) give({ forwarder, source, packet, sent })
    forwarder.retarget(next.layer, 10)
    for (const packet of source.frame(33, 1)) give({ forwarder, source, packet, sent })
    t.deepEqual(
      sent.map((row) => row.temporalLayer),
      [0, 2],
    )
  }
})

const OTHER = { sequence: 1, timestamp: 2, pictureId: 3, tl0PicIdx: 4 }
