import test from 'ava'
import { FIGURES, figureProblem } from './figures.ts'
import { describeDimension, unitOfFigure } from './units.ts'

const IDS = {
  nodes: ['core', 'mn'],
  links: ['thin-512k'],
  groups: ['hall', 'flat-1000'],
  windows: [],
  http: ['health'],
}

test('figures of all sites and of each group can be named', (t) => {
  const names = [
    'sites.joined',
    'group.flat-1000.sites.joined',
    'latency.audio.p99Ms',
    'group.hall.join.ice.p95Ms',
    'group.hall.frozen.maxMs',
    'http.health.perSecond',
    'process.core.cpuShare',
    'process.link.thin-512k.cpuShareMax',
    'process.load.core.residentBytesMax',
    'process.browsers.load.cpuSeconds',
    'link.thin-512k.down.lossRatio',
    'drops.sequenceJump',
    'counters.doorJoins',
    'counters.rtcp.pli',
    'ratio.n600.packetsPerCpuSecond',
    'janus.n1000.latency.p99Ms',
  ]
  for (const name of names) t.is(figureProblem(name, IDS), undefined)
})

test('a figure that no run measures is told with what is near it', (t) => {
  const wrong: [string, RegExp][] = [
    ['latency.audio.p98Ms', /no run measures that; allowed: latency\./],
    ['group.hall.latency.sound.p99Ms', /no run measures that; allowed: latency\./],
    ['group.hal.sites.joined', /there is no group hal; allowed: hall, flat-1000/],
    [
      'process.cores.cpuShare',
      /there is no process cores; allowed: core, mn, link.thin-512k, load/,
    ],
    ['link.thin.down.lossRatio', /there is no link thin; allowed: thin-512k/],
    ['http.page.perSecond', /there is no http page; allowed: health/],
    ['group.hall.process.core.cpuShare', /no run measures/],
    ['toString', /allowed: the figures of docs\/BENCH.md/],
  ]
  for (const [name, problem] of wrong) t.regex(figureProblem(name, IDS) ?? '', problem, name)
})

test('the end of a name is its unit', (t) => {
  const units: [string, RegExp][] = [
    ['latency.audio.p99Ms', /a time/],
    ['latency.audio.count', /plain/],
    ['forward.latencyP99Ms', /a time/],
    ['process.core.cpuSeconds', /a time/],
    ['process.core.cpuShare', /plain/],
    ['process.core.residentBytesMax', /a size/],
    ['process.core.residentPerSiteBytes', /a size/],
    ['process.core.residentSlopeBytesPerS', /bytes over time/],
    ['process.core.residentSlopeBytesPerHour', /bytes over time/],
    ['link.thin.down.bitrateBpsMax', /a bit rate/],
    ['link.thin.down.queueMsMax', /a time/],
    ['forward.packetsPerCpuSecond', /plain/],
    ['joins.perSecond', /plain/],
    ['drops.sequenceJump', /plain/],
    ['machine.othersCores', /plain/],
  ]
  for (const [name, unit] of units) {
    t.regex(describeDimension(unitOfFigure(name).dimension), unit, name)
  }
})

test('every row of the list is a name that can be read in a criterion, once its words are chosen', (t) => {
  for (const { name, meaning } of FIGURES) {
    const chosen = name.replaceAll(/\{([^|}]+)[^}]*\}/g, (_, first: string) => first)
    const ids = {
      nodes: ['process', 'node'],
      links: ['link'],
      groups: ['group'],
      windows: ['window'],
      http: ['http'],
    }
    t.is(
      figureProblem(
        chosen
          .replace('{step}', 'n600')
          .replace('ratio.step', 'ratio.n1')
          .replace('nhipcau.step', 'nhipcau.n1'),
        ids,
      ),
      undefined,
      chosen,
    )
    t.not(meaning, '')
  }
})
