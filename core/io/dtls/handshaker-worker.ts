/**
 * The handshaker's thread: clock, priority, channels. Each media worker has a port; a transport
 * belongs to the port that opened it. Decides nothing about handshakes (handshaker.ts).
 */
import { setPriority } from 'node:os'
import { type MessagePort, parentPort } from 'node:worker_threads'
import type { HandshakeCommand, HandshakeEvent, HandshakerStats } from './handshake.ts'
import { Handshaker } from './handshaker.ts'
import { createDtlsIdentity, type DtlsIdentity } from './identity.ts'

/** From the main thread. */
export type ControlCommand =
  | { type: 'connect'; port: MessagePort }
  | { type: 'request-stats'; requestId: number }

/** To the main thread. */
export type ControlReport =
  | { type: 'ready'; fingerprint: { algorithm: string; value: string } }
  | { type: 'stats'; requestId: number; stats: HandshakerStats }

/** Weaker than media, a third of its weight, yet not starved: at nice 10 a busy machine timed out a whole storm. */
const NICE = 5
/** Steps are done for this long before new messages are let in. */
const SLICE_MS = 4
/** Repetitions are coarse anyway: one wake-up serves all that are due. */
const TICK_MS_MIN = 50
/** A handshake that begins while the timer runs must not wait for a deadline that was computed without it. */
const TICK_MS_MAX = 250

const lowerPriority = (): void => {
  try {
    // On Linux, 0 names the calling thread, not the process (setpriority(2), "C library/kernel differences").
    if (process.platform === 'linux') setPriority(0, NICE)
  } catch {
    // Without the right to be nice we are merely less polite.
  }
}

/** Runs a handshaker over message ports until the thread ends. */
const serve = (control: MessagePort, identity: DtlsIdentity): void => {
  const owners = new Map<number, MessagePort>()
  const outgoing = new Map<MessagePort, HandshakeEvent[]>()
  let tickTimer: NodeJS.Timeout | undefined
  let isWorking = false

  const emit = (event: HandshakeEvent): void => {
    const owner = owners.get(event.transportId)
    if (owner === undefined) return
    const batch = outgoing.get(owner)
    if (batch === undefined) outgoing.set(owner, [event])
    else batch.push(event)
  }
  const handshaker = new Handshaker({ identity, emit })

  const flush = (): void => {
    for (const [port, batch] of outgoing) port.postMessage(batch)
    outgoing.clear()
  }

  const tick = (): void => {
    const nowMs = performance.now()
    const deadlineMs = handshaker.tick(nowMs)
    flush()
    const isIdle = deadlineMs === Number.POSITIVE_INFINITY
    const delayMs = Math.min(TICK_MS_MAX, Math.max(TICK_MS_MIN, deadlineMs - nowMs))
    tickTimer = isIdle ? undefined : setTimeout(tick, delayMs)
  }

  const work = (): void => {
    const untilMs = performance.now() + SLICE_MS
    let nowMs = untilMs - SLICE_MS
    let hasMore = true
    while (hasMore && nowMs < untilMs) {
      hasMore = handshaker.work(nowMs)
      nowMs = performance.now()
    }
    flush()
    isWorking = hasMore
    if (hasMore) setImmediate(work)
    if (tickTimer === undefined && handshaker.halfOpenCount > 0) {
      tickTimer = setTimeout(tick, TICK_MS_MIN)
    }
  }

  const onCommands = (port: MessagePort, commands: HandshakeCommand[]): void => {
    const nowMs = performance.now()
    for (const command of commands) {
      const { type, transportId } = command
      if (type === 'open' && !owners.has(transportId)) owners.set(transportId, port)
      if (owners.get(transportId) !== port) continue
      handshaker.command(command, nowMs)
      if (type === 'close') owners.delete(transportId)
    }
    if (isWorking) return
    isWorking = true
    setImmediate(work)
  }

  const connect = (port: MessagePort): void => {
    port.on('message', (commands: HandshakeCommand[]) => onCommands(port, commands))
    port.on('close', () => {
      const mine = [...owners].filter(([, owner]) => owner === port)
      onCommands(
        port,
        mine.map(([transportId]) => ({ type: 'close', transportId })),
      )
      outgoing.delete(port)
    })
  }

  control.on('message', (command: ControlCommand) => {
    if (command.type === 'connect') return connect(command.port)
    const { requestId } = command
    control.postMessage({
      type: 'stats',
      requestId,
      stats: handshaker.stats(),
    } satisfies ControlReport)
  })
  control.postMessage({ type: 'ready', fingerprint: identity.fingerprint } satisfies ControlReport)
}

const identity = await createDtlsIdentity()
// Only now: making the identity starts the process's thread pool, which would inherit our weakness for good.
lowerPriority()
serve(parentPort!, identity)
