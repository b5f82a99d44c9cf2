/**
 * Which figures a report can have, once: criteria are held against this list, so that a mistyped
 * name is told before the run and not as `unknown` after it; docs/BENCH.md prints it. What they
 * mean is decided where they are counted (bench/load, bench/run, bench/rival, bench/site).
 */

/** Ids of one scenario. */
export type FigureIds = {
  nodes: string[]
  links: string[]
  groups: string[]
  http: string[]
  windows: string[]
}

/**
 * `{x}` stands for an id or word; `of` says who has it: `all` sites together and `group.{group}.`
 * each. Units end the name (units.ts); ratios are 0..1; names without a unit are counts.
 */
export type FigureRow = { name: string; of?: 'sites'; meaning: string }

const PERCENTILES = '{p50Ms|p95Ms|p99Ms|maxMs|count}'
const STEPS = '{door|join|offer|ice|dtls}'

export const FIGURES: readonly FigureRow[] = [
  { name: 'sites.planned', of: 'sites', meaning: 'sites of the scenario' },
  {
    name: 'sites.joined',
    of: 'sites',
    meaning: 'came in, and were in at the end unless they had left on purpose',
  },
  { name: 'sites.failed', of: 'sites', meaning: 'were asked in and were not in at the end' },
  { name: 'joins.begun', of: 'sites', meaning: 'attempts to join or to come back' },
  { name: 'joins.failed', of: 'sites', meaning: 'attempts that failed, at whatever step' },
  { name: 'joins.firsts', of: 'sites', meaning: 'sites that came in at least once' },
  { name: 'joins.back', of: 'sites', meaning: 'returns after a lost connection' },
  {
    name: 'joins.perSecond',
    of: 'sites',
    meaning: 'first joins over the time from the first attempt to the last success',
  },
  { name: 'requests.failed', of: 'sites', meaning: 'hands and chat lines that the server refused' },
  {
    name: `join.${PERCENTILES}`,
    of: 'sites',
    meaning: 'from the first packet to media, first joins',
  },
  { name: `join.${STEPS}.${PERCENTILES}`, of: 'sites', meaning: 'the same, by step' },
  { name: `rejoin.${PERCENTILES}`, of: 'sites', meaning: 'the same, of those who came back' },
  { name: `rejoin.${STEPS}.${PERCENTILES}`, of: 'sites', meaning: 'the same, by step' },
  {
    name: `outage.${PERCENTILES}`,
    of: 'sites',
    meaning: 'from the loss of the door, or from the end of what caused it, until it is back',
  },
  {
    name: `latency.{audio|video}.${PERCENTILES}`,
    of: 'sites',
    meaning: "from the publisher's send call to the site's receive, of opened packets",
  },
  {
    name: 'loss.ratio',
    of: 'sites',
    meaning: 'packets that never came, of those that should have',
  },
  { name: 'loss.{audio|video}.ratio', of: 'sites', meaning: 'the same, by class' },
  { name: 'loss.{audio|video}.ratioMax', of: 'sites', meaning: 'the same, of the worst site' },
  {
    name: 'concealed.ratio',
    of: 'sites',
    meaning: 'audio frames that a jitter buffer of 200 ms must invent',
  },
  { name: 'concealed.ratioMax', of: 'sites', meaning: 'the same, of the worst site' },
  { name: 'audioGap.maxMs', of: 'sites', meaning: 'longest silence that was not in the source' },
  {
    name: 'frozen.ratio',
    of: 'sites',
    meaning: 'time that the main picture stood still, of the time that it was watched',
  },
  { name: 'frozen.ratioMax', of: 'sites', meaning: 'the same, of the worst site' },
  {
    name: 'frozen.{count|sumMs|maxMs}',
    of: 'sites',
    meaning: 'freezes: how many, together, the longest',
  },
  {
    name: 'frames.late.ratio',
    of: 'sites',
    meaning: 'frames complete only after their time, per complete one',
  },
  {
    name: `resync.{audio|video}.${PERCENTILES}`,
    of: 'sites',
    meaning: 'from the end of an outage until it is heard or seen again, last one of each site',
  },
  {
    name: `{firstSound|firstPicture}.${PERCENTILES}`,
    of: 'sites',
    meaning: 'from being in until the first of it',
  },
  {
    name: 'events.{outages|reconnects|resumes|mediaFailures|audioGaps}',
    of: 'sites',
    meaning:
      'how often: media stood still for a second; the door was lost and came back (resumes: in its ' +
      'session); media had to be set up anew; sound was missing',
  },
  {
    name: 'events.{nacks|keyframesAsked|keyframesSent|resentPackets}',
    of: 'sites',
    meaning: 'repair: asked for by those who watch, done by those who publish',
  },
  { name: 'packets', of: 'sites', meaning: 'media packets received' },
  { name: 'checked.ratio', of: 'sites', meaning: 'share of them that was decrypted and checked' },
  { name: 'checked.failed', of: 'sites', meaning: 'of these, with wrong tag or wrong content' },
  { name: `http.{http}.${PERCENTILES}`, meaning: 'answers of a page under load' },
  {
    name: 'http.{http}.{perSecond|errors}',
    meaning: 'answers a second; failures and answers that are no 2xx',
  },
  {
    name: 'forward.packetsPerSecond',
    meaning: 'sent by the nodes, with all in and before the first fault',
  },
  { name: 'forward.receivedPerSecond', meaning: 'received by them, then' },
  { name: 'forward.packetsPerCpuSecond', meaning: "sent per second of the nodes' CPU, then" },
  {
    name: 'forward.{latencyP50Ms|latencyP99Ms}',
    meaning: 'inside the nodes, by their own histogram, then',
  },
  { name: 'forward.run.{latencyP50Ms|latencyP99Ms}', meaning: 'the same over the whole run' },
  { name: 'process.{process}.cpuSeconds', meaning: "used in the run, by the kernel's account" },
  {
    name: 'process.{process}.cpuShare',
    meaning: 'of one core, mean, with all in and before the first fault',
  },
  { name: 'process.{process}.cpuShareMax', meaning: 'of one core, the worst second' },
  { name: 'process.{process}.residentBytesMax', meaning: 'resident memory at its highest' },
  {
    name: 'process.{process}.residentPerSiteBytes',
    meaning: 'nodes: the growth of it over the empty node, per site',
  },
  {
    name: 'process.{process}.residentSlopeBytesPerS',
    meaning: 'of its straight line through the second half of the run',
  },
  { name: 'process.{process}.residentSlopeBytesPerHour', meaning: 'the same, per hour' },
  { name: 'process.{process}.{handlesMax|threadsMax}', meaning: 'open file descriptors; threads' },
  {
    name: 'process.{process}.handlesGrowth',
    meaning: 'descriptors, end of the second half against its beginning',
  },
  { name: 'link.{link}.{down|up}.packets', meaning: 'offered to the line' },
  { name: 'link.{link}.{down|up}.lossRatio', meaning: 'of these, lost by chance' },
  { name: 'link.{link}.{down|up}.overflowRatio', meaning: 'of these, refused by a full queue' },
  {
    name: 'link.{link}.{down|up}.{bitrateBps|bitrateBpsMax}',
    meaning: 'delivered with headers, mean and best second',
  },
  {
    name: 'link.{link}.{down|up}.{queueMsMax|queueP95Ms}',
    meaning: 'longest wait in its queue; the same of 19 seconds of 20',
  },
  {
    name: 'window.{window}.{mean|min|max}.link.{link}.{down|up}.{bitrateBps|lossRatio|queueMs}',
    meaning: 'a link in a stretch of the run (`windows`): of the figures of its seconds',
  },
  {
    name: 'window.{window}.{mean|min|max}.trunk.{node}.rttMs',
    meaning: 'the same: what the ends of the trunk above a relay say, as GET /api/v1/trunk has it',
  },
  {
    name: 'window.{window}.{mean|min|max}.trunk.{node}.{down|up}.{estimateBps|usedBps|lossRatio|residualRatio|queueDelayMs}',
    meaning: 'the same, by way; loss before and after repair',
  },
  {
    name: 'window.{window}.{mean|min|max}.trunk.{node}.{down|up}.class.{emergencyAudio|stageAudio|control|slides|mainBase|otherBase|enhancement|catchUp}Bps',
    meaning: 'the same, by class',
  },
  {
    name: 'window.{window}.{mean|min|max}.{sites.joined|loss.ratio|frozen.ratio|concealed.ratio|receivedBps|sentBps}',
    meaning: 'what sites saw then',
  },
  {
    name: 'window.{window}.{mean|min|max}.group.{group}.{frozen.ratio|receivedBps|sentBps|layer}',
    meaning: 'the same, by group',
  },
  {
    name: 'converged.{maxMs|count|missed}',
    meaning:
      'trees: from the end of an outage until all nodes make the same of the log, the longest; how ' +
      'often they did, and did not within a minute',
  },
  { name: 'state.differing', meaning: 'trees: nodes that stood apart from the others at the end' },
  {
    name: 'drops.{word}',
    meaning: 'packets that the nodes dropped, by reason (docs/METRICS.md); `drops.all`',
  },
  {
    name: 'counters.{words}',
    meaning: "the nodes' other counters (docs/METRICS.md), camel case, by label; `.all`",
  },
  {
    name: 'load.{joining|steady}.{latenessP99Ms|latenessMaxMs}',
    meaning: 'how late the load itself was',
  },
  { name: 'load.{joining|steady}.{cpuShare|cpuShareMax}', meaning: 'how much of its core it used' },
  { name: 'load.socketDrops', meaning: "datagrams that overflowed the load's own sockets" },
  { name: 'load.socketDrops.ratio', meaning: 'the same, of all' },
  {
    name: 'machine.{othersCores|stealCores}',
    meaning: 'cores that other processes and the host took',
  },
  {
    name: '{nhipcau|janus}.{step}.{latency.p50Ms|latency.p95Ms|latency.p99Ms}',
    meaning: 'a rival: both servers with so many receivers (`n600`)',
  },
  {
    name: '{nhipcau|janus}.{step}.{receivers|joinsFailed|joinsPerSecond}',
    meaning: 'the same: who came in',
  },
  {
    name: '{nhipcau|janus}.{step}.{packetsPerSecond|packetsPerCpuSecond|lossRatio|deliveredRatio}',
    meaning: 'the same: what was forwarded',
  },
  {
    name: '{nhipcau|janus}.{step}.{perReceiverBytes|cpuShare|loadCpuShare}',
    meaning: 'the same: at which cost',
  },
  {
    name: 'ratio.{step}.{packetsPerCpuSecond|latencyP99|memory}',
    meaning: 'a rival: ours over theirs',
  },
  {
    name: 'ratio.{step}.{packetsPerCpuSecondMin|packetsPerCpuSecondMax}',
    meaning: 'the same, of single rounds: between them is noise',
  },
]

const WORD = '[A-Za-z][A-Za-z0-9]*'
const NEAR_MAX = 6

/**
 * Why a figure of this name cannot be in a report of a scenario with these ids; undefined when it
 * can.
 */
export function figureProblem(name: string, ids: FigureIds): string | undefined {
  if (patternsOf(ids).some((pattern) => pattern.test(name))) return undefined
  const [first = '', id = ''] = name.split('.')
  const owners: Record<string, string[]> = {
    group: ids.groups,
    link: ids.links,
    http: ids.http,
    process: processesOf(ids),
    window: ids.windows,
  }
  const known = Object.hasOwn(owners, first) ? owners[first] : undefined
  if (known !== undefined && !known.some((one) => one.split('.')[0] === id)) {
    return `${name}: there is no ${first} ${id}; allowed: ${known.join(', ') || 'none in this file'}`
  }
  const bare = first === 'group' ? name.split('.').slice(2).join('.') : name
  const [start = ''] = bare.split('.')
  const near = FIGURES.map((row) => row.name).filter((one) => one.startsWith(`${start}.`))
  const some = near.length > 0 ? near.slice(0, NEAR_MAX).join(', ') : 'the figures of docs/BENCH.md'
  return `${name}: no run measures that; allowed: ${some}`
}

/** One file asks many times with the same ids. */
const patterns = new WeakMap<FigureIds, RegExp[]>()

function patternsOf(ids: FigureIds): RegExp[] {
  const known = patterns.get(ids) ?? createPatterns(ids)
  patterns.set(ids, known)
  return known
}

function createPatterns(ids: FigureIds): RegExp[] {
  const groups = oneOf(ids.groups)
  return FIGURES.map(({ name, of }) => {
    const body = name
      .replaceAll('.', String.raw`\.`)
      .replaceAll(/\{([^}]+)\}/g, (_, slot: string) => slotPattern(slot, ids))
    return new RegExp(`^${of === 'sites' ? `(?:group\\.${groups}\\.)?` : ''}${body}$`)
  })
}

function slotPattern(slot: string, ids: FigureIds): string {
  switch (slot) {
    case 'http':
      return oneOf(ids.http)
    case 'link':
      return oneOf(ids.links)
    case 'process':
      return oneOf(processesOf(ids))
    case 'group':
      return oneOf(ids.groups)
    case 'node':
      return oneOf(ids.nodes)
    case 'window':
      return oneOf(ids.windows)
    case 'step':
      return String.raw`n\d+`
    case 'word':
      return WORD
    case 'words':
      return `${WORD}(?:\\.[A-Za-z0-9]+)*`
    default:
      return `(?:${slot})`
  }
}

/** As the runner names them. */
function processesOf({ nodes, links }: FigureIds): string[] {
  const loads = ['load', ...nodes.map((id) => `load.${id}`)]
  return [
    ...nodes,
    ...links.map((id) => `link.${id}`),
    ...loads,
    ...loads.map((id) => `browsers.${id}`),
  ]
}

/**
 * Ids are letters, digits, _ and -: nothing in them means more in a pattern. Of none: what never
 * matches.
 */
function oneOf(words: readonly string[]): string {
  return words.length === 0
    ? '(?!)'
    : `(?:${words.map((word) => word.replaceAll('.', String.raw`\.`)).join('|')})`
}
