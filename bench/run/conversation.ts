/** A child that answers: messages that are waited for go to whoever waits, the others to a handler. */
import { Child, type ChildOptions, endText } from '../process/child.ts'

type Message = { event: string }

/** `T` is all that the child says. */
export class Conversation<T extends Message> {
  readonly child: Child
  readonly #waiting = new Map<string, (message: T) => void>()

  constructor(options: Omit<ChildOptions, 'onMessage'>, onOther: (message: T) => void) {
    this.child = new Child({
      ...options,
      onMessage: (told) => {
        const message = told as unknown as T
        const waiting = this.#waiting.get(message.event)
        this.#waiting.delete(message.event)
        if (waiting === undefined) onOther(message)
        else waiting(message)
      },
    })
  }

  /** The next message of one of these events; rejects with its last words when it ends first, or after `timeoutMs`. */
  async next<E extends T['event']>(
    events: readonly E[],
    timeoutMs: number,
  ): Promise<Extract<T, { event: E }>> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    for (const event of events) this.#waiting.set(event, resolve)
    const late = setTimeout(
      () => reject(new Error(`${this.child.id} said nothing for ${timeoutMs / 1000} s`)),
      timeoutMs,
    )
    void this.child.ended.then((end) =>
      reject(new Error(`${this.child.id} ${endText(end)}:\n${this.child.tail()}`)),
    )
    try {
      return (await promise) as Extract<T, { event: E }>
    } finally {
      clearTimeout(late)
      for (const event of events) this.#waiting.delete(event)
    }
  }
  /** The same promise; when it rejects the child is ended first, since nobody else knows of it yet. */
  async orEnded<V>(answer: Promise<V>): Promise<V> {
    try {
      return await answer
    } catch (error) {
      await this.child.kill()
      throw error
    }
  }
}
