/**
 * One load process as the runner sees it: told the plan, started at the run's zero, asked for its
 * result in the end.
 */
import type {
  LoadCommand,
  LoadMark,
  LoadMessage,
  LoadProgress,
  LoadResult,
  LoadSetup,
} from '../load/index.ts'
import { LOAD_PROCESS } from '../load/index.ts'
import { Conversation } from './conversation.ts'

export type LoadOpen = {
  id: string
  setup: LoadSetup
  cores: readonly number[]
  env: Readonly<Record<string, string>>
  logFile: string
  prefix?: readonly string[]
  script?: string
  onHappened: (atS: number, what: string) => void
}

const READY_MS_MAX = 60_000
const RESULT_MS_MAX = 60_000

/** A load that stands ready. */
export class Load {
  readonly id: string
  /** Resolves with its result, by itself or after `stop`; rejects when it ends without one. */
  readonly result: Promise<LoadResult>
  readonly #talk: Conversation<LoadMessage>
  #latest: LoadProgress | undefined
  #late: NodeJS.Timeout | undefined
  readonly #giveUp: (why: Error) => void

  private constructor(id: string, talk: Conversation<LoadMessage>) {
    this.id = id
    this.#talk = talk
    const { promise, resolve, reject } = Promise.withResolvers<LoadResult>()
    this.#giveUp = reject
    // 2^31 ms is all that a timer takes; the plan's own end is the runner's business.
    talk.next(['result'], 2 ** 31 - 1).then(resolve, reject)
    this.result = promise
    // Whoever waits for it hears it; nobody waits while the run is being built.
    promise.catch(() => {})
  }

  /** Rejects with what is wrong with the plan, or its last words. */
  static async open(open: LoadOpen): Promise<Load> {
    let load: Load | undefined
    const { id, cores, env, logFile, prefix, script = LOAD_PROCESS, setup } = open
    const talk = new Conversation<LoadMessage>(
      { id, args: [script], cores, env, logFile, ...(prefix === undefined ? {} : { prefix }) },
      (message) => {
        if (message.event === 'progress') load?.keep(message)
        else if (message.event === 'happened') open.onHappened(message.atS, message.what)
        else if (message.event === 'error') talk.child.note(message.error)
      },
    )
    const ready = talk.next(['ready', 'error'], READY_MS_MAX)
    talk.child.send(setup)
    const told = await talk.orEnded(ready)
    if (told.event === 'error') {
      await talk.child.kill()
      throw new Error(`${id}: ${told.error}`)
    }
    load = new Load(id, talk)
    return load
  }

  get pid(): number {
    return this.#talk.child.pid
  }

  get isRunning(): boolean {
    return this.#talk.child.isRunning
  }

  get latest(): LoadProgress | undefined {
    return this.#latest
  }

  keep(progress: LoadProgress): void {
    this.#latest = progress
  }

  start(startedAtMs: number): void {
    this.#talk.child.send({ op: 'start', startedAtMs } satisfies LoadCommand)
  }

  mark(mark: Omit<LoadMark, 'op'>): void {
    this.#talk.child.send({ op: 'mark', ...mark } satisfies LoadCommand)
  }

  /** Asks for the result; `result` rejects when it does not come in a minute. */
  stop(): void {
    this.#talk.child.send({ op: 'stop' } satisfies LoadCommand)
    this.expectSoon()
  }

  /** The plan is over: the result must come in a minute. */
  expectSoon(): void {
    this.#late ??= setTimeout(() => {
      this.#giveUp(new Error(`${this.id} left no result within ${RESULT_MS_MAX / 1000} s`))
    }, RESULT_MS_MAX)
  }

  /** Its result is told by then, or never. */
  async end(): Promise<void> {
    clearTimeout(this.#late)
    await this.#talk.child.stop()
    clearTimeout(this.#late)
  }
}
