/**
 * A country of thirty relays, three deep, as `GET /api/v1/trunk` would tell it: most are well, a few are not.
 * Invented, the same at each run; marks and troubles are made by the server's own rules.
 */
import { markOf, troublesOf } from '../../relay/status/troubles.ts'
import type {
  DirectionHistory,
  DirectionStatus,
  LinkHistory,
  LinkStatus,
  RelayStatus,
  ShedSummary,
  StreamStatus,
  TrunkStatus,
} from '../../relay/status/trunk-status.ts'

const STEP_MS = 5_000
const STEPS = 120
const VERSION = '0.4.2'

/** Name, sites, what the link down can take, and what is wrong with it. */
type Plan = {
  name: string
  sites: number
  estimateBps: number
  rttMs?: number
  lossRatio?: number
  residualRatio?: number
  shed?: ShedSummary[]
  lostForMs?: number
  version?: string
  children?: Plan[]
}

const shed = (change: Partial<ShedSummary>): ShedSummary => ({
  class: 'main-base',
  mode: 'full',
  reason: 'bandwidth',
  count: 1,
  keyframeIntervalMs: 0,
  missingBps: 45_000,
  ...change,
})

const well = (name: string, sites: number, estimateBps = 1_600_000): Plan => ({
  name,
  sites,
  estimateBps,
})

const stills = shed({ mode: 'keyframes', keyframeIntervalMs: 7_000 })
const tilesOff = shed({ class: 'other-base', mode: 'off', count: 4, missingBps: 120_000 })

const COUNTRY: Plan[] = [
  {
    ...well('Điện Biên', 6, 18_000_000),
    children: [
      {
        ...{ name: 'Mường Nhé', sites: 4, estimateBps: 118_000, rttMs: 640, lossRatio: 0.11 },
        residualRatio: 0.004,
        shed: [stills, tilesOff],
        children: [
          { ...well('Sín Thầu', 3, 64_000), lostForMs: 254_000 },
          well('Chung Chải', 2, 480_000),
          { ...well('Nậm Kè', 1, 300_000), lossRatio: 0.07 },
        ],
      },
      well('Tủa Chùa', 9),
      well('Mường Ảng', 7),
      well('Tuần Giáo', 11, 2_400_000),
      {
        ...well('Điện Biên Đông', 5, 700_000),
        shed: [shed({ class: 'other-base', mode: 'off', count: 2, missingBps: 60_000 })],
      },
    ],
  },
  {
    ...well('Lai Châu', 5, 14_000_000),
    children: [
      {
        ...well('Mường Tè', 8, 420_000),
        ...{ rttMs: 610, version: '0.4.1' },
        shed: [
          shed({ reason: 'pre-empted', missingBps: 310_000 }),
          shed({ class: 'other-base', mode: 'off', reason: 'pre-empted', count: 3 }),
        ],
        children: [well('Pa Ủ', 2, 350_000), well('Ka Lăng', 3, 380_000)],
      },
      well('Sìn Hồ', 6),
      well('Phong Thổ', 7),
      well('Tam Đường', 8, 2_100_000),
      well('Than Uyên', 9),
    ],
  },
  {
    ...well('Hà Giang', 7, 22_000_000),
    children: [
      { ...well('Đồng Văn', 6, 900_000), children: [well('Lũng Cú', 2, 500_000)] },
      well('Mèo Vạc', 8),
      well('Hoàng Su Phì', 5),
      { ...well('Xín Mần', 6, 540_000), residualRatio: 0.06, lossRatio: 0.16 },
    ],
  },
  {
    ...well('Sơn La', 8, 20_000_000),
    children: [
      well('Sông Mã', 10),
      well('Thuận Châu', 13),
      well('Yên Châu', 6),
      well('Phù Yên', 8),
      well('Mộc Châu', 12, 3_000_000),
      well('Sốp Cộp', 4),
    ],
  },
]

/** The same letters for the same name; only those that a node's id may have. */
const idOf = (name: string): string =>
  `n${[...name].map((letter) => 'abcdefghijklmnopqrstuvwxyz234567'[(letter.codePointAt(0) ?? 0) % 32]).join('')}`

/** 0..1, the same for the same number. */
const noise = (seed: number): number => {
  const x = Math.sin(seed * 12.9898) * 43_758.5453
  return x - Math.floor(x)
}

/** What crosses by class when so much may: voices and base first, the rest as far as it goes. */
function sharesFor(estimateBps: number, wave: number): number[] {
  const most = [0, 48_000, 9_000, 60_000, 110_000, 190_000, 1_150_000, 0]
  let leftBps = estimateBps * 0.93
  return most.map((wantedBps) => {
    const share = Math.min(leftBps, wantedBps * wave)
    leftBps -= share
    return Math.round(share)
  })
}

function wayOf(plan: Plan, isDown: boolean): DirectionStatus {
  const estimateBps = isDown ? plan.estimateBps : Math.round(plan.estimateBps * 0.6)
  const seed = idOf(plan.name).length + plan.sites
  const shares = isDown
    ? sharesFor(estimateBps, 0.8 + 0.4 * noise(seed))
    : sharesFor(estimateBps, 0.35 + 0.2 * noise(seed + 1))
  return {
    estimateBps,
    usedBps: shares.reduce((sum, share) => sum + share, 0),
    lossRatio: isDown ? (plan.lossRatio ?? 0.002 * noise(seed)) : 0.004,
    residualRatio: isDown ? (plan.residualRatio ?? 0) : 0,
    queueDelayMs: Math.round(4 + 30 * noise(seed + 2)),
    shares,
    shed: isDown ? (plan.shed ?? []) : [],
  }
}

function relayOf(plan: Plan, depth: number, nowMs: number): RelayStatus {
  const link: LinkStatus = {
    rttMs: plan.rttMs ?? Math.round(12 + 60 * noise(plan.sites + plan.name.length)),
    down: wayOf(plan, true),
    up: wayOf(plan, false),
  }
  const children = (plan.children ?? []).map((child) => relayOf(child, depth + 1, nowMs))
  const isLost = plan.lostForMs !== undefined
  const troubles = isLost ? (['lost'] as const).slice() : troublesOf(link)
  return {
    nodeId: idOf(plan.name),
    name: plan.name,
    version: plan.version ?? VERSION,
    state: isLost ? 'lost' : 'connected',
    sinceMs: nowMs - (plan.lostForMs ?? 5_040_000 + plan.sites * 3_600_000),
    heardMs: nowMs - (plan.lostForMs ?? 700),
    sites: isLost ? 0 : plan.sites,
    sitesBelow: (isLost ? 0 : plan.sites) + children.reduce((sum, c) => sum + c.sitesBelow, 0),
    mark: markOf(troubles),
    troubles,
    link,
    ...(depth === 0 ? { streams: STREAMS } : {}),
    children,
  }
}

const stream = (change: Partial<StreamStatus>): StreamStatus => ({
  ...{ streamId: 1, class: 'main-base', layerWanted: 2, layerSent: 2, temporal: 3, mode: 'full' },
  ...{ keyframeIntervalMs: 0, bitrateBps: 980_000, reason: 'none', missingBps: 0 },
  ...{ room: 'Giao ban toàn quốc', participant: 'pkq3x', use: 'camera' },
  ...change,
})

const STREAMS: StreamStatus[] = [
  stream({
    class: 'stage-audio',
    use: 'microphone',
    layerWanted: 0,
    layerSent: 0,
    bitrateBps: 31_000,
  }),
  stream({ streamId: 2 }),
  stream({
    streamId: 3,
    participant: 'p7mra',
    layerSent: 1,
    bitrateBps: 210_000,
    reason: 'bandwidth',
    missingBps: 240_000,
  }),
]

/** The status at a moment, with the history of one link when it is asked for. */
export function operatorFixture(nowMs: number, historyOf: string | null): TrunkStatus {
  const children = COUNTRY.map((plan) => relayOf(plan, 0, nowMs))
  const all: RelayStatus[] = []
  const collect = (relays: readonly RelayStatus[]): void => {
    for (const relay of relays) {
      all.push(relay)
      collect(relay.children)
    }
  }
  collect(children)
  const asked = all.find(({ nodeId }) => nodeId === historyOf)
  return {
    nowMs,
    node: {
      ...{ nodeId: 'nhanoi', name: 'Hà Nội', version: VERSION, startedMs: nowMs - 86_400_000 },
      ...{ sites: 3, sitesBelow: children.reduce((sum, child) => sum + child.sitesBelow, 3) },
    },
    upstream: null,
    children,
    relaysOmitted: 0,
    history: asked === undefined ? null : historyOfLink(asked, nowMs),
  }
}

function historyOfLink(
  { nodeId, link, troubles, state, sinceMs }: RelayStatus,
  nowMs: number,
): LinkHistory {
  const last = Math.floor(nowMs / STEP_MS)
  const first = last - STEPS + 1
  const steps = Array.from({ length: STEPS }, (_, i) => first + i)
  const isGone = (step: number): boolean => state === 'lost' && step * STEP_MS > sinceMs
  const column = (value: (step: number, i: number) => number): (number | null)[] =>
    steps.map((step, i) => (isGone(step) ? null : value(step, i)))
  // A link in trouble was well until four minutes ago.
  const goodness = (i: number): number => (troubles.length > 0 && i < 70 ? 3.2 : 1)
  const way = (status: DirectionStatus): DirectionHistory => {
    const estimate = (step: number, i: number): number =>
      Math.round(status.estimateBps * goodness(i) * (0.93 + 0.1 * noise(step)))
    const shares = steps.map((step, i) =>
      sharesFor(estimate(step, i), 0.75 + 0.25 * noise(step + 7)),
    )
    return {
      estimateBps: column(estimate),
      usedBps: column((_, i) => shares[i]!.reduce((sum, share) => sum + share, 0)),
      lossRatio: column(
        (step, i) => (i < 70 ? 0.004 : status.lossRatio) * (0.6 + 0.8 * noise(step + 3)),
      ),
      shares: status.shares.map((_, index) => column((_step, i) => shares[i]![index]!)),
    }
  }
  return {
    ...{ nodeId, stepMs: STEP_MS, fromMs: first * STEP_MS },
    rttMs: column((step) => Math.round(link.rttMs * (0.92 + 0.2 * noise(step + 11)))),
    down: way(link.down),
    up: way(link.up),
  }
}
