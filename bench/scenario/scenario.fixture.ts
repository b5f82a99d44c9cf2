/** Scenarios to be read by tests, and what was wrong with them. */
import type { ScenarioProblem } from './problem.ts'
import { readScenario } from './read.ts'

/** Everything that a scenario can say, once. */
export const FULL = `title: All of it
needs: chromium
seed: 7
duration: 2m
repeat: 2
room: hall-1
placement: { nodes: 0, load: 1 }
nodes:
  commune: { kind: relay, upstream: district, link: thin }
  district: { kind: relay, upstream: core }
  core:
    kind: core
    program: bench/index.ts
    config: { media: { workers: 2 }, 'http.requestRateMax': 500 }
links:
  thin:
    profile: district
    lossRatio: 0.1
    up: { rateBps: 300k, burstLoss: none }
    changes:
      - { at: 20s, heal: true }
      - { at: 10s, direction: up, cut: true }
  sky: vsat
  fast: fibre
sites:
  stage:
    count: 2
    node: core
    publishes:
      audio: { payloadBytes: 60 }
      video:
        temporal: true
        layers:
          - { bitrateBps: 100k, size: 320x180 }
    behaviours:
      - { do: speaker-changes, from: 5s, every: 5s }
  hall:
    count: 20
    node: commune
    watches: { audio: 1, main: 640x360, tiles: { count: 4, size: 160x90 } }
    link: { sky: 3, fast: 7 }
    depth: full
    join: { how: paced, at: 1s, perSecond: 10 }
    behaviours:
      - { do: come-and-go, every: 10s, away: 2s, share: 30% }
      - { do: hands, until: 1m, every: 10s, share: 0.1 }
      - { do: reconnect, within: 1s }
  talk: { kind: signalling, count: 1, node: district, role: observer }
  page: { kind: browser, count: 1, node: district, join: { how: storm, parallel: 1 } }
http:
  health: { node: core, path: /healthz, from: 10s, until: 20s, perSecond: 100 }
faults:
  - { at: 30s, do: kill, node: core, for: 5s }
  - { at: 20s, do: cut, link: thin, for: 2s }
  - { at: 31s, do: stop, node: district }
  - { at: 40s, do: continue, node: district }
pass:
  - group.hall.latency.audio.p99Ms < 1s
  - link.thin.down.lossRatio < 20%
`

/** What is wrong with it; nothing: an empty list. */
export function problemsOf(yaml: string): ScenarioProblem[] {
  const result = readScenario(yaml, 'test')
  return result.ok ? [] : result.problems
}

/** Line, from 1, of the first place where `text` stands. */
export function lineOf(yaml: string, text: string): number {
  return yaml.slice(0, yaml.indexOf(text)).split('\n').length
}

/** A scenario of `lines` below one core; what it lacks it gets. */
export function small(lines: string): string {
  const base = `title: t\nduration: 60s\nnodes:\n  core: { kind: core }\n`
  const sites = lines.includes('sites:') ? '' : 'sites:\n  hall: { count: 1, node: core }\n'
  const pass = lines.includes('pass:') ? '' : 'pass: [1 < 2]\n'
  return `${base}${sites}${pass}${lines}`
}
