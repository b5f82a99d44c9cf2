import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { PROFILES, type ProfileName } from '../../bench/link/index.ts'
import { startProcess } from '../../bench/process/processes.ts'
import { createLoadContext, type LoadContext } from '../../bench/site/load-context.ts'
import { OPUS_PAYLOAD_TYPE } from '../../bench/site/offer.ts'
import { PublisherSite } from '../../bench/site/publisher-site.ts'
import { ReceiverSite } from '../../bench/site/receiver-site.ts'
import { type JoinTimes, Site } from '../../bench/site/site.ts'
import { type CoreProcess, startCore } from './core-process.ts'

/** A site behind one line of the field, its control and its media in it; a speaker without one. */

const WATCH_MS = 6000
/**
 * What a machine that is busy with other things may add to a join: a bound for what hangs, not for
 * how fast it is.
 */
const MACHINE_MS = 20_000

type Via = { doorPort: number; mediaPort: number }

/** An emulator process for one site: TCP to the door, UDP to the media port. */
async function startLine(t: ExecutionContext, core: CoreProcess, profile: ProfileName) {
  const maps = [
    `tcp:127.0.0.1:0=127.0.0.1:${core.httpPort}`,
    `udp:127.0.0.1:0=127.0.0.1:${core.mediaPort}`,
  ].flatMap((map) => ['--map', map])
  const args = ['main.ts', 'link', '--profile', profile, '--realtime', ...maps]
  const line = startProcess({ args })
  t.teardown(() => line.stop())
  const ready = await line.line(({ event }) => event === 'ready')
  const [doorPort = 0, mediaPort = 0] = (ready.mappings as { listen: string }[]).map(({ listen }) =>
    Number(listen.split(':')[1]),
  )
  return { line, via: { doorPort, mediaPort } }
}

async function speak(
  t: ExecutionContext,
  core: CoreProcess,
  context: LoadContext,
): Promise<PublisherSite> {
  let publisher: PublisherSite | undefined
  const site = await Site.join(context, {
    doorUrl: `ws://127.0.0.1:${core.httpPort}/ws`,
    token: core.token({ room: 'line', role: 'speaker', site: 'core' }),
    plans: [{ use: 'microphone' }, { use: 'camera' }],
    transportWide: false,
    onMedia: (from, datagram, isRtcp) => publisher?.onMedia(from, datagram, isRtcp),
  })
  const layer = { rid: '', bitrateBps: 150_000, width: 320, height: 180 }
  const video = { mid: '1', framesPerSecond: 25, temporal: false, layers: [layer] }
  const audio = { mid: '0', payloadBytes: 80 }
  publisher = new PublisherSite(site, { number: 1, audio, video }, performance.now())
  const timer = setInterval(() => {
    publisher?.tick(performance.now())
    site.link.tick(performance.now())
  }, 5)
  t.teardown(() => {
    clearInterval(timer)
    site.drop()
  })
  await site.door.request({ type: 'publish', use: 'microphone', live: true })
  await site.door.request({ type: 'publish', use: 'camera', live: true })
  return publisher
}

type Seen = {
  joinMs: JoinTimes
  /** What the speaker sent while it was watched. */
  audioSent: number
  audioPackets: number
  longestGapMs: number
  audioLatencyMs: number[]
  lossRatio: number
}

async function watch(
  t: ExecutionContext,
  {
    core,
    context,
    via,
    publisher,
  }: { core: CoreProcess; context: LoadContext; via: Via; publisher: PublisherSite },
): Promise<Seen> {
  const audioLatencyMs: number[] = []
  const receiver = new ReceiverSite({
    sampleEvery: 1,
    phase: 0,
    onLatency: (latencyMs, isAudio) => {
      if (isAudio) audioLatencyMs.push(latencyMs)
    },
  })
  const arrivalsMs: number[] = []
  const site = await Site.join(context, {
    doorUrl: `ws://127.0.0.1:${via.doorPort}/ws`,
    token: core.token({ room: 'line', role: 'viewer', site: 'behind the line' }),
    plans: [{ use: 'audio' }, { use: 'main' }],
    transportWide: false,
    mediaVia: { address: '127.0.0.1', port: via.mediaPort },
    onMedia: (from, datagram, isRtcp) => {
      const isAudio = !isRtcp && (datagram[1]! & 0x7f) === OPUS_PAYLOAD_TYPE
      if (isAudio) arrivalsMs.push(performance.now())
      receiver.onMedia(from, datagram, isRtcp)
    },
  })
  const timer = setInterval(() => {
    site.link.tick(performance.now())
    receiver.report(site)
  }, 500)
  t.teardown(() => {
    clearInterval(timer)
    site.drop()
  })
  const sentBefore = publisher.packetsSent.audio
  await sleep(WATCH_MS)
  const audioSent = publisher.packetsSent.audio - sentBefore
  const tallies = [...receiver.tallies.values()]
  const sum = (field: 'lost' | 'expected') =>
    tallies.reduce((total, tally) => total + tally[field], 0)
  return {
    joinMs: site.times,
    audioSent,
    audioPackets: arrivalsMs.length,
    longestGapMs: Math.max(...arrivalsMs.slice(1).map((atMs, index) => atMs - arrivalsMs[index]!)),
    audioLatencyMs: audioLatencyMs.sort((a, b) => a - b),
    lossRatio: sum('lost') / sum('expected'),
  }
}

for (const profile of ['district', 'vsat'] as const) {
  test.serial(`a site behind ${profile} joins, hears and sees`, async (t) => {
    const { down, up } = PROFILES[profile]
    const rttMs = down.delayMs + up.delayMs
    const core = await startCore(t, { env: { NHIPCAU_ANNOUNCED_IPS: '127.0.0.1' } })
    const context = await createLoadContext()
    const publisher = await speak(t, core, context)
    const { line, via } = await startLine(t, core, profile)
    const seen = await watch(t, { core, context, via, publisher })
    const joinMs = Object.values(seen.joinMs).reduce((total, step) => total + step, 0)
    const medianMs = seen.audioLatencyMs[seen.audioLatencyMs.length >> 1] ?? 0
    t.log(`join ${joinMs.toFixed(0)} ms: ${JSON.stringify(seen.joinMs)}`)
    t.log(
      `audio: ${seen.audioPackets} packets, longest gap ${seen.longestGapMs.toFixed(0)} ms, median latency ${medianMs.toFixed(0)} ms; lost in all ${(seen.lossRatio * 100).toFixed(1)} %`,
    )
    // Handshake, upgrade, join, offer, ICE and DTLS are six round trips at least.
    t.true(joinMs > 6 * rttMs && joinMs < 8 * rttMs + MACHINE_MS, `${joinMs}`)
    t.true(seen.audioSent > 50, `${seen.audioSent}`)
    t.true(seen.audioPackets > seen.audioSent * 0.7, `${seen.audioPackets} of ${seen.audioSent}`)
    t.true(medianMs >= down.delayMs && medianMs < down.delayMs + MACHINE_MS / 10, `${medianMs}`)
    t.true(seen.lossRatio < 0.03, `${seen.lossRatio}`)
    const told = line.line(({ event }) => event === 'summary')
    line.child.kill('SIGTERM')
    const { tcp } = (await told) as { tcp: { opened: number; resets: number }[] }
    t.like(tcp[0], { opened: 1, resets: 0 })
  })
}
