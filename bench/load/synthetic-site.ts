/**
 * Synthetic sites (bench/site) as members of the load: what the plan of a group means for one site.
 */

import type { SitePlayerOptions } from '../site/index.ts'
import { createLoadContext, createSitePlayer, SiteDriver } from '../site/index.ts'
import type { MemberMaker, MemberSpec } from './member.ts'
import type { LoadGroup } from './protocol.ts'

/** A prime, so that sound and pictures take turns at being opened. */
const CHECK_EVERY = 61
const PAYLOAD_BYTES = 80
/** As browsers name simulcast layers, lowest picture first. */
const RIDS = ['l', 'm', 'h']

/** One context and one pacing timer for all synthetic sites of the process. */
export async function syntheticMaker(): Promise<MemberMaker> {
  const context = await createLoadContext()
  const driver = new SiteDriver(context)
  return {
    create: (spec) => {
      const player = createSitePlayer(context, playerOptions(spec))
      driver.add(player)
      return player
    },
    processes: () => [],
    close: async () => driver.close(),
  }
}

/** What a site of this group is made of. */
export function playerOptions(spec: MemberSpec): SitePlayerOptions {
  const { group, route } = spec
  const { checkEvery = CHECK_EVERY } = group
  const send = sendPlan(group)
  return {
    id: spec.id,
    number: spec.number,
    doorUrl: route.doorUrl,
    ...(route.mediaVia === undefined ? {} : { mediaVia: route.mediaVia }),
    token: spec.token,
    ...(send === undefined ? {} : { send }),
    receive: receivePlan(group),
    feedback: { transportWide: group.transportWide ?? false, nack: true, pli: true },
    depth: checkEvery === 0 ? 'headers' : checkEvery === 1 ? 'full' : 'sampled',
    sampleEvery: Math.max(1, checkEvery),
    latencies: spec.latencies,
    random: spec.random,
    reconnects: spec.reconnects,
    onEvent: spec.onEvent,
  }
}

function sendPlan({ publishes }: LoadGroup): SitePlayerOptions['send'] {
  if (publishes === undefined) return undefined
  const { audio, video } = publishes
  return {
    ...(audio === undefined
      ? {}
      : { audio: { payloadBytes: audio.payloadBytes ?? PAYLOAD_BYTES, dtx: false } }),
    ...(video === undefined
      ? {}
      : {
          video: {
            framesPerSecond: video.framesPerSecond,
            temporal: video.temporal ?? false,
            use: 'camera' as const,
            layers: video.layers.map(({ bitrateBps, widthPx, heightPx }, index) => ({
              rid: video.layers.length === 1 ? '' : (RIDS[index] as string),
              bitrateBps,
              width: widthPx,
              height: heightPx,
            })),
          },
        }),
  }
}

/** Everybody hears; who shows no pictures has asked for none. */
function receivePlan({ watches }: LoadGroup): SitePlayerOptions['receive'] {
  const none = { count: 0, widthPx: 320, heightPx: 180 }
  return {
    audio: watches?.audio ?? (watches === undefined ? 0 : 1),
    ...(watches?.main === undefined ? {} : { main: watches.main }),
    tiles: watches?.tiles ?? none,
  }
}
