/**
 * The composition root: the one file that knows every folder. Opens a node from the inside out and closes it in
 * reverse; what the parts do lives where it belongs.
 */
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { availableParallelism, hostname } from 'node:os'
import { resolve } from 'node:path'
import type { Config } from './config/index.ts'
import type { Log } from './core/io/index.ts'
import type { ConferenceHost, StoreReport } from './core/store/index.ts'
import { publicUrl } from './public-url.ts'
import type { Signaling, SignalingOptions } from './signaling/index.ts'

/** Of package.json; in the OpenAPI document and the start log. */
const VERSION = createRequire(import.meta.url)('./package.json').version as string

/** A core or a relay. */
export type RunningNode = { close: (why: string) => Promise<void> }

/** A node that cannot start closes what it had opened, so that the process ends. */
export async function startNode(config: Config, asRelay: boolean): Promise<RunningNode> {
  const opened = new AsyncDisposableStack()
  try {
    const log = await openNode(config, { opened, asRelay })
    return {
      close: async (why) => {
        log.info({ event: 'closing', why }, 'closing')
        await opened.disposeAsync()
        log.info({ event: 'closed' }, 'closed')
      },
    }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

/**
 * Opens from the inside out (log, conference, media, doors), so that whoever comes in finds all of
 * it; closes in reverse.
 */
async function openNode(
  config: Config,
  { opened, asRelay }: { opened: AsyncDisposableStack; asRelay: boolean },
): Promise<Log> {
  const [io, store, conference, signaling, web, relay, keeping] = await Promise.all([
    import('./core/io/index.ts'),
    import('./core/store/index.ts'),
    import('./core/conference/index.ts'),
    import('./signaling/index.ts'),
    import('./web/index.ts'),
    import('./relay/index.ts'),
    import('./core/keeper/index.ts'),
  ])
  const log = io.createLog(config['log.level'], { node: config['node.name'] || hostname() })
  const onFault = (error: unknown): void => log.error({ err: error }, 'a bug was contained')
  // What slipped through every guard below: a thousand calls do not end for it.
  process.on('uncaughtException', onFault)
  opened.defer(() => void process.off('uncaughtException', onFault))
  const metrics = io.createMetrics()
  // What is written from here on (keys, chat, names) is for its owner, whatever the folder allows.
  process.umask(0o077)
  const dataDir = resolve(config['data.dir'])
  const keys = signaling.loadTokenKeys(dataDir)
  const random = (count: number): Uint8Array => randomBytes(count)
  const events = store.openEventStore({ folder: dataDir, randomBytes: random, wallMs: Date.now() })
  opened.defer(() => events.close())
  logStore(log, events.report)
  const issuers = new signaling.PinnedIssuers(dataDir)
  const name = config['node.name'] || hostname()
  const batching = config['media.udp'] === 'auto'
  const trunks = await relay.openTrunks({
    dataDir,
    nodeId: events.nodeId,
    name,
    program: VERSION,
    isRelay: asRelay,
    port: config['trunk.port'],
    upstreamPort: config['trunk.upstreamPort'],
    batching,
    certificateFile: config['http.tls.cert'],
    leaseMs: config['trunk.lease'] * 1_000,
    // A relay's own tokens are good at itself; those of the nation everywhere below.
    tokenKeys: () => (asRelay ? issuers.jwks : [signaling.issuerJwk(keys.publicKey)]),
    onTokenKeys: (told) => issuers.replace(told),
    log,
    registry: metrics.registry,
  })
  opened.defer(() => trunks.close())
  const keeper = config['keeper.enabled']
    ? await keeping.startKeeper({
        dataDir,
        nodeId: events.nodeId,
        bounds: {
          hours: config['keeper.hours'],
          bytes: config['keeper.gigabytes'] * 1_000_000_000,
        },
        log,
      })
    : undefined
  if (keeper !== undefined) opened.defer(() => keeper.close())
  const media = await io.createMediaPlane({
    workers: config['media.workers'] || Math.max(1, availableParallelism() - 1),
    mediaPort: config['media.port'],
    batching,
    announcedIps: config['media.announcedIps'],
    log,
    metrics,
    trunk: trunks.peer,
    ...(keeper === undefined ? {} : { keeper: keeper.peer }),
  })
  opened.defer(() => media.close())
  const now = { nowMs: io.systemClock.nowMs(), wallMs: io.systemClock.wallMs() }
  const noteAppended = store.registerStoreMetrics(metrics.registry)
  const host = store.createConferenceHost({
    conference: conference.createConference({
      ...{ store: events, randomBytes: random, now, onFault },
      closesEmptyRooms: !asRelay,
    }),
    log: events,
    onAppended: (...batch) => {
      noteAppended(...batch)
      trunks.logGrew()
    },
  })
  opened.defer(() => host.close())
  let doors: Signaling | undefined
  signaling.registerDoorMetrics(metrics.registry, () => doors)
  doors = await signaling.createSignaling({
    host,
    media,
    createDirector: () => conference.createDirector(config['room.heardMax']),
    keys,
    issuers,
    nodeName: name,
    trunkStatus: (historyOf) => trunks.status(historyOf),
    ...(asRelay
      ? {
          retryUpstream: () => trunks.retryUpstream(),
          linkTest: {
            start: (seconds) => trunks.startLinkTest(seconds),
            status: () => trunks.linkTest(),
          },
        }
      : {}),
    ...(web.pageIsBuilt() ? { page: pageOf(web) } : {}),
    metrics: {
      text: () => metrics.text(),
      contentType: metrics.contentType,
      access: config['http.metrics'],
    },
    listen: listenOf(config),
    cors: config['http.cors'],
    requestsPerS: config['http.requestRateMax'],
    demo: config['demo.enabled'],
    version: VERSION,
    sockets: [trunks.route],
    onFault,
  })
  const { close, port: httpPort, door, doorReason, stage } = doors
  opened.defer(close)
  const siteCount = (): number => doors?.figures().participants ?? 0
  if (keeper !== undefined) {
    const letCross = (id: number, on: boolean): void => media.letCross(id, on, 'keeper')
    const close = keeping.keepStages({
      keeper,
      stage,
      letCross,
      nameOf: nameIn(host),
      clock: io.systemClock,
    })
    opened.defer(close)
  }
  trunks.start({ host, events, media, stage, siteCount })
  log.info(
    { event: 'ready', url: publicUrl(config, httpPort), httpPort, door, doorReason },
    'ready',
  )
  return log
}

/** As people know a participant who is on stage. */
function nameIn({ conference }: ConferenceHost): (room: string, participant: string) => string {
  return (room, participant) =>
    conference.summary(room)?.stage.find((one) => one.participant === participant)?.name ?? ''
}

function listenOf(config: Config): SignalingOptions['listen'] {
  const certificateFile = config['http.tls.cert']
  return {
    host: config['http.host'],
    port: config['http.port'],
    door: config['http.door'],
    ...(certificateFile === ''
      ? {}
      : { tls: { certificateFile, keyFile: config['http.tls.key'] } }),
  }
}

function pageOf(web: typeof import('./web/index.ts')): NonNullable<SignalingOptions['page']> {
  return {
    root: web.PAGE_ROOT,
    hashedPrefix: web.HASHED_PREFIX,
    route: web.PAGE_ROUTE,
    documents: web.PAGE_DOCUMENTS,
    contentSecurityPolicy: web.PAGE_CONTENT_SECURITY_POLICY,
    permissionsPolicy: web.PAGE_PERMISSIONS_POLICY,
  }
}

function logStore(log: Log, report: StoreReport): void {
  if (report.lostCount === 0 && report.salvagedFrom === null) log.info(report, 'event log is sound')
  else
    log.error(
      report,
      'the event log was damaged: what could be read is kept, see the file put aside',
    )
}
