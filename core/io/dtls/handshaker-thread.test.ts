import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { DtlsClientSession } from './client.ts'
import type { HandshakeEvent } from './handshake.ts'
import { HandshakerPort } from './handshaker-port.ts'
import { startHandshaker } from './handshaker-thread.ts'
import { createDtlsIdentity } from './identity.ts'

const identity = await createDtlsIdentity()

/** `count` clients join through a port of the thread; resolves when the handshaker has told as many ends. */
const join = async (t: ExecutionContext, count: number) => {
  const thread = await startHandshaker()
  t.teardown(() => thread.close())
  const clients: DtlsClientSession[] = []
  const events: HandshakeEvent[] = []
  const all = Promise.withResolvers<void>()
  const goodbye = Promise.withResolvers<void>()
  const port = new HandshakerPort(thread.connect(), (event) => {
    if (event.type === 'send') clients[event.transportId]!.receive(event.bytes, 0)
    else events.push(event)
    if (events.length === count) all.resolve()
    if (event.type === 'closed') goodbye.resolve()
  })
  for (let transportId = 0; transportId < count; transportId++) {
    const client = new DtlsClientSession({
      identity,
      fingerprints: [thread.fingerprint],
      emit: (event) => {
        if (event.type === 'send') port.datagram(transportId, event.bytes)
      },
    })
    clients.push(client)
    port.open(transportId, [identity.fingerprint])
    client.start(0)
  }
  await all.promise
  return { thread, port, events, clients, goodbye: goodbye.promise }
}

/** Niceness of each thread of this process, by name. */
const niceness = (): [name: string, nice: number][] =>
  readdirSync('/proc/self/task').map((task) => {
    const stat = readFileSync(`/proc/self/task/${task}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return [stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')), Number(fields[16])]
  })

test.serial('a hundred joins over the thread leave no timer and no handle', async (t) => {
  const before = process.getActiveResourcesInfo()
  const { thread, port, events } = await join(t, 100)
  t.is(events.filter(({ type }) => type === 'connected').length, 100)
  t.like(await thread.stats(), { connected: 100, established: 100, halfOpen: 0 })
  port.destroy()
  await thread.close()
  const after = process.getActiveResourcesInfo()
  t.false(after.includes('Timeout') && !before.includes('Timeout'))
  t.true(after.filter((name) => name === 'MessagePort').length <= 1, after.join())
})

test.serial('a port that closes takes its transports with it', async (t) => {
  const { thread, port } = await join(t, 3)
  port.destroy()
  let left = 3
  for (let tries = 0; left > 0 && tries < 200; tries++) {
    left = (await thread.stats()).established
    await turn()
  }
  t.is(left, 0)
})

test.serial('one port cannot speak for a transport of another', async (t) => {
  const { thread, port } = await join(t, 1)
  const other = new HandshakerPort(thread.connect(), () => t.fail())
  other.close(0)
  other.open(0, [identity.fingerprint])
  await thread.stats()
  t.is((await thread.stats()).established, 1)
  other.destroy()
  port.destroy()
})

test.serial('an authenticated goodbye of the peer is reported', async (t) => {
  const { port, events, clients, goodbye } = await join(t, 1)
  clients[0]!.close()
  await goodbye
  t.deepEqual(
    events.map(({ type }) => type),
    ['connected', 'closed'],
  )
  port.destroy()
})

const onLinux = process.platform === 'linux' ? test.serial : test.serial.skip
onLinux('the thread lowers its own priority, and no other thread of the process', async (t) => {
  const { port } = await join(t, 1)
  // The whole test run may have been started at a lower priority itself.
  const ours = getPriority(process.pid)
  const lowered = niceness().filter(([, nice]) => nice > ours)
  t.deepEqual(
    lowered.map(([name]) => name),
    ['handshaker'],
  )
  port.destroy()
})
