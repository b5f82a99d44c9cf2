import test from 'ava'
import { TRUNK_CLASSES } from '../../relay/trunk/index.ts'
import { CLASSES, linkOf } from './trunk-book.ts'

const camelCase = (text: string): string =>
  text.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())

test('classes have the names and the order of the trunk', (t) => {
  t.deepEqual([...CLASSES], TRUNK_CLASSES.map(camelCase))
})

test('a link that is lost has no figures', (t) => {
  const way = {
    estimateBps: 1,
    usedBps: 1,
    lossRatio: 0,
    residualRatio: 0,
    queueDelayMs: 0,
    shares: [],
  }
  const link = { rttMs: 5, down: way, up: way }
  t.is(linkOf({ upstream: null }), undefined)
  t.is(linkOf({ upstream: { state: 'lost', link } }), undefined)
  t.deepEqual(linkOf({ upstream: { state: 'connected', link } }), link)
})
