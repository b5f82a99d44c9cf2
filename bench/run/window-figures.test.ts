import test from 'ava'
import { windowFigures } from './window-figures.ts'

const way = (bitrateBps: number[]) => ({
  packets: 1,
  bytes: 1,
  lost: 0,
  overflowed: 0,
  series: { atS: [0, 1, 2, 3], bitrateBps, lossRatio: [0, 0, 0, 0], queueMs: [0, 0, 0, 0] },
})

test('a window takes what lies in it, of series and of links, and nothing that was not measured', (t) => {
  const figures = windowFigures([{ id: 'rise', fromS: 1, untilS: 3 }], {
    series: [
      { id: 'sites.joined', title: '', unit: '', atS: [0, 1, 2, 3], values: [9, 1, Number.NaN, 9] },
      { id: 'later', title: '', unit: '', atS: [3], values: [1] },
    ],
    sites: ['hall-1', 'hall-2'].map((id) => ({
      id,
      group: 'hall',
      node: 'core',
      kind: 'synthetic',
      joined: true,
      figures: {},
      why: [],
    })),
    layers: {
      atS: [0, 1, 2],
      rows: [
        { site: 'hall-1', layer: [2, 2, 1] },
        { site: 'hall-2', layer: [2, 0, 1] },
      ],
    },
    links: [
      {
        id: 'thin',
        profile: 'vsat',
        below: 'hall',
        above: 'core',
        down: way([9, 1, 2, 9]),
        up: way([0, 0, 0, 0]),
      },
    ],
  })
  t.is(figures['window.rise.mean.sites.joined'], 1)
  t.is(figures['window.rise.mean.link.thin.down.bitrateBps'], 1.5)
  t.is(figures['window.rise.min.link.thin.down.bitrateBps'], 1)
  t.is(figures['window.rise.max.link.thin.down.bitrateBps'], 2)
  t.is(figures['window.rise.mean.group.hall.layer'], 1)
  t.is(figures['window.rise.min.group.hall.layer'], 0)
  t.is(figures['window.rise.mean.later'], undefined)
})
