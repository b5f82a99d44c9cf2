import test from 'ava'
import type { MediaReport } from '../media/control.ts'
import { createLog } from './log.ts'
import { createMediaPlane } from './media-plane.ts'
import { createMetrics } from './metrics.ts'
import { audioSlotSection, TestPeer } from './test-peer.fixture.ts'

/** The real worker, but a `permit` command kills its thread. */
const MORTAL = `
  import { parentPort } from 'node:worker_threads'
  import '${new URL('./media-worker-thread.ts', import.meta.url).href}'
  parentPort.on('message', (message) => {
    if (message.command?.type === 'permit') throw new Error('as the test asked')
  })`

test('a dead worker fails its own transports alone, comes back on its port, and serves again', async (t) => {
  const plane = await createMediaPlane({
    workers: 2,
    mediaPort: 0,
    batching: true,
    announcedIps: ['127.0.0.1'],
    log: createLog('silent'),
    metrics: createMetrics(),
    workerEntry: new URL(`data:text/javascript,${encodeURIComponent(MORTAL)}`),
  })
  t.teardown(() => plane.close())
  const failed: number[] = []
  const failure = Promise.withResolvers<void>()
  plane.onReport = (report: MediaReport) => {
    if (report.type !== 'disconnected' || report.cause !== 'worker-failed') return
    failed.push(report.transportId)
    failure.resolve()
  }
  const { fingerprint } = plane
  const sections = [audioSlotSection()]
  const victim = plane.reserve(1)
  const bystander = plane.reserve(2)
  t.not(victim.candidates[0]?.port, bystander.candidates[0]?.port)
  const peers: TestPeer[] = []
  for (const { transportId, candidates } of [victim, bystander]) {
    const options = { transportId, roomId: 1, candidates, fingerprint, sections }
    const peer = await TestPeer.create(options)
    peers.push(peer)
    plane.send({ type: 'open', spec: peer.spec })
  }
  t.teardown(() => {
    for (const peer of peers) peer.close()
  })
  plane.send({ type: 'permit', transportId: victim.transportId, uses: [] })
  await failure.promise
  t.deepEqual(failed, [victim.transportId])
  // Whoever comes meanwhile goes to the worker that lives, or is told at once.
  t.is(plane.reserve(3).candidates[0]?.port, bystander.candidates[0]?.port)
  let again = plane.reserve(4)
  while (again.candidates[0]?.port !== victim.candidates[0]?.port) {
    plane.send({ type: 'close', transportId: again.transportId })
    await new Promise((resolve) => setTimeout(resolve, 50))
    again = plane.reserve(4)
  }
  const { transportId, candidates } = again
  const peer = await TestPeer.create({ transportId, roomId: 4, candidates, fingerprint, sections })
  peers.push(peer)
  plane.send({ type: 'open', spec: peer.spec })
  while (peer.stunAnswers === 0) {
    peer.check()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  t.deepEqual(failed, [victim.transportId])
})
