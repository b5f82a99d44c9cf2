/**
 * `./nhipcau bench doors`: the HTTP door under autocannon, and the WebSocket door under sites that only signal. The
 * server on one core, the load on the other; figures per CPU-second of the server.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { issueToken, loadTokenKeys } from '../../signaling/index.ts'
import {
  loadPage,
  newHistogram,
  type PagePlan,
  percentileMs,
  recordMs,
  SignallingSite,
} from '../load/index.ts'
import { readUsage } from '../process/accounting.ts'
import { startProcess } from '../process/processes.ts'

export const DOORS_USAGE = `bench doors     HTTP under autocannon, WebSocket under sites that only signal
  --seconds 5             measured time of each page
  --connections 50        HTTP connections at once
  --sites 200             sites that join, chat and leave
  --door auto|uws|ws      which HTTP engine`

type Row = {
  what: string
  perSecond: number
  perCpuSecond: number
  p50: number
  p99: number
  errors: number
}

const PATHS = ['/healthz', '/', '/api/v1/openapi.json']

/** Runs the command line; resolves with the exit code: 1 when anything failed. */
export async function doorsCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '5' },
      connections: { type: 'string', default: '50' },
      sites: { type: 'string', default: '200' },
      door: { type: 'string', default: 'auto' },
    },
  })
  const dataDir = mkdtempSync(join(tmpdir(), 'nhipcau-doors-'))
  const env = {
    NHIPCAU_HTTP_PORT: '0',
    NHIPCAU_HTTP_HOST: '127.0.0.1',
    NHIPCAU_MEDIA_PORT: '0',
    NHIPCAU_DATA_DIR: dataDir,
    NHIPCAU_DOOR: values.door,
  }
  const server = startProcess({ args: ['main.ts', 'core'], core: 0, env })
  try {
    const ready = await server.line((message) => message.event === 'ready')
    const rows: Row[] = []
    for (const path of PATHS) {
      console.error(`… GET ${path}`)
      const url = `http://127.0.0.1:${ready.httpPort}${path}`
      const connections = Number(values.connections)
      const plan = { url, connections, seconds: Number(values.seconds) }
      rows.push(await pageRow(path, plan, server.pid))
    }
    console.error(`… ${values.sites} sites join and chat`)
    const doorUrl = `ws://127.0.0.1:${ready.httpPort}/ws`
    rows.push(await sitesRow({ doorUrl, dataDir, sites: Number(values.sites), pid: server.pid }))
    print(rows, String(ready.door))
    return rows.some(({ errors }) => errors > 0) ? 1 : 0
  } finally {
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function pageRow(path: string, plan: PagePlan, pid: number): Promise<Row> {
  const before = readUsage(pid)
  const { requests, seconds, errors, responses } = await loadPage(plan).seen
  const cpuSeconds = readUsage(pid).cpuSeconds - before.cpuSeconds
  return {
    what: `GET ${path}`,
    perSecond: requests / seconds,
    perCpuSecond: requests / cpuSeconds,
    p50: percentileMs(responses, 50),
    p99: percentileMs(responses, 99),
    errors,
  }
}

type SitesLoad = { doorUrl: string; dataDir: string; sites: number; pid: number }

/** Each site joins, says one thing and waits for the answer; half of them are connected at any time. */
async function sitesRow({ doorUrl, dataDir, sites, pid }: SitesLoad): Promise<Row> {
  const keys = loadTokenKeys(dataDir)
  const histogram = newHistogram()
  const before = readUsage(pid)
  let errors = 0
  let next = 0
  const play = async (number: number): Promise<void> => {
    const startMs = performance.now()
    const request = { room: 'doors', role: 'viewer' as const, ttlS: 600, nowMs: Date.now() }
    const token = await issueToken(keys, { ...request, name: 'bench', site: 'bench' })
    const site = new SignallingSite({ id: `${number}`, token, doorUrl, onEvent: () => {} })
    const outcome = await site.join()
    if (!outcome.joined) throw new Error(outcome.whyFailed)
    await site.chat('xin chào')
    recordMs(histogram, performance.now() - startMs)
    await site.leave()
  }
  const runner = async (): Promise<void> => {
    while (next < sites) {
      next += 1
      await play(next).catch(() => {
        errors += 1
      })
    }
  }
  const startMs = performance.now()
  await Promise.all(Array.from({ length: Math.min(50, Math.ceil(sites / 2)) }, runner))
  const seconds = (performance.now() - startMs) / 1000
  return {
    what: 'join + chat over WebSocket',
    perSecond: (sites - errors) / seconds,
    perCpuSecond: (sites - errors) / (readUsage(pid).cpuSeconds - before.cpuSeconds),
    p50: percentileMs(histogram, 50),
    p99: percentileMs(histogram, 99),
    errors,
  }
}

function print(rows: Row[], door: string): void {
  console.log(`door: ${door}`)
  console.log('what                          per second  per CPU-second   p50 ms   p99 ms  errors')
  for (const { what, perSecond, perCpuSecond, p50, p99, errors } of rows) {
    const figures = [perSecond.toFixed(0).padStart(10), perCpuSecond.toFixed(0).padStart(15)]
    const times = [
      p50.toFixed(1).padStart(8),
      p99.toFixed(1).padStart(8),
      String(errors).padStart(7),
    ]
    console.log([what.padEnd(29), ...figures, ...times].join(' '))
  }
}
