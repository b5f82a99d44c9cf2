/**
 * What a scenario with a rival asks for: each of its two servers gets the sites that are written for the rival, in
 * turns. Groups that watch join one after another; after each comes a measured step, an equal part of the duration.
 * Pure.
 */
import type { NodePlan, Scenario, SiteGroup } from '../scenario/index.ts'
import type { LegsPlan } from './legs.ts'

/** A B A B: what lies between the rounds is noise. */
const ROUNDS = 2
const PARALLEL_JOINS = 100

/** Throws an Error that says what does not fit, in words of the scenario. */
export function planLegs(scenario: Scenario): LegsPlan {
  const { nodes, sites, faults, links, http, durationS } = scenario
  const rival = nodes.find(({ kind }) => kind === 'rival')
  const isPair = nodes.length === 2 && nodes.some(({ kind }) => kind === 'core')
  demand(rival !== undefined && isPair, 'a rival is measured beside one core: two nodes')
  demand(faults.length + links.length + http.length === 0, 'no links, faults or pages with a rival')
  for (const { id, node, kind } of sites) {
    demand(
      node === rival?.id,
      `sites.${id}.node: both servers get the sites of the rival, ${rival?.id}`,
    )
    demand(kind === 'synthetic', `sites.${id}.kind: only synthetic sites can join a rival`)
  }
  const watching = sites.filter(({ publishes }) => publishes === undefined)
  const speaking = sites.filter(({ publishes }) => publishes !== undefined)
  demand(watching.length > 0, 'sites: nobody watches')
  let present = 0
  const receivers = watching.map(({ count }) => {
    present += count
    return present
  })
  const { parallel = PARALLEL_JOINS } = watching[0]!.join as { parallel?: number }
  return {
    receivers,
    seconds: durationS / receivers.length,
    rounds: ROUNDS,
    parallel,
    eventLoops: (rival as NodePlan).rival?.eventLoops ?? 2,
    ...videoOf(speaking),
  }
}

function videoOf(speaking: readonly SiteGroup[]): Pick<LegsPlan, 'videoBps' | 'framesPerSecond'> {
  const [speaker] = speaking
  const video = speaker?.publishes?.video
  const layer = video?.layers[0]
  const isOne = speaking.length === 1 && speaker?.count === 1 && video?.layers.length === 1
  demand(isOne, 'sites: one site speaks, with sound and one layer of video')
  return { videoBps: layer!.bitrateBps, framesPerSecond: video!.framesPerSecond }
}

function demand(condition: boolean, problem: string): void {
  if (!condition) throw new Error(problem)
}
