import test from 'ava'
import { durationText, type ListRow, listText } from './list.ts'

const ROW: ListRow = {
  name: 'hello',
  title: 'Ten sites',
  sites: 10,
  durationS: 20,
  nodes: ['core'],
  lacks: [],
}

test('the list says size and time, and what is lacking below its scenario', (t) => {
  const rows = [ROW, { ...ROW, name: 'tree-1000', sites: 1000, durationS: 600, lacks: ['a relay'] }]
  t.deepEqual(listText(rows).split('\n'), [
    'name        sites    time  title',
    'hello          10     20s  Ten sites',
    'tree-1000    1000     10m  Ten sites',
    '                           not here: a relay',
  ])
})

test('times read as people write them', (t) => {
  t.deepEqual([0.5, 20, 90, 600, 5400, 86_400].map(durationText), [
    '0.5s',
    '20s',
    '90s',
    '10m',
    '1.5h',
    '24h',
  ])
})
