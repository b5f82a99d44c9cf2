import test from 'ava'
import type { UpstreamLink } from '../sdk/index.ts'
import { translator } from './i18n/index.ts'
import { linkFigures, linkText, moderatorText, nodeName } from './upstream-text.ts'

const link: UpstreamLink = {
  state: 'connected',
  sinceMs: 0,
  mark: 'amber',
  rateBps: 512_000,
  lossRatio: 0.05,
  rttMs: 49,
  node: 'Mường Nhé',
  upstream: 'Điện Biên',
}

test('each state of the link has a sentence of its own, with the name of the server above', (t) => {
  for (const language of ['vi', 'en'] as const) {
    const words = translator(language)
    const marks = (['green', 'amber', 'red'] as const).map((mark) => ({ ...link, mark }))
    const states = (['connecting', 'island'] as const).map((state) => ({ ...link, state }))
    const texts = [...marks, ...states].map((one) => linkText(one, words))
    t.is(new Set(texts).size, 5)
    for (const text of texts) t.true(text.includes('Điện Biên'), text)
  }
})

test('a relay or a server without a name is called what it is', (t) => {
  const vi = translator('vi')
  const unnamed = { ...link, node: '', upstream: '' }
  t.is(nodeName(unnamed, vi), vi('relay.unnamed'))
  t.true(linkText(unnamed, vi).includes(vi('relay.above')))
})

test('figures that are not known yet are dashes', (t) => {
  const en = translator('en')
  t.is(linkFigures(link, en), 'Down 512 kbit/s · loss 5% · round trip 49 ms')
  const unknown = { ...link, rateBps: 0, lossRatio: 0, rttMs: 0 }
  t.is(linkFigures(unknown, en), 'Down – kbit/s · loss 0% · round trip – ms')
})

test('everybody reads who moderates an island, and that one reads that it is he', (t) => {
  const words = translator('vi')
  const me = { participant: 'pa', role: 'speaker', name: 'Mai', site: 'Huế' } as const
  const acting = [{ participant: 'pb', name: 'John', site: 'Vinh' }]
  t.is(moderatorText({ acting: [], me }, words), '')
  t.true(moderatorText({ acting, me }, words).startsWith('John (Vinh) '))
  const own = moderatorText({ acting: [{ ...acting[0]!, participant: 'pa' }], me }, words)
  t.true(own.startsWith('Bạn điều hành'))
})
