/** A value with listeners, and the hook that draws from it. Not a framework. */
import { useEffect, useRef, useState } from 'preact/hooks'

export type Store<T> = {
  get(): T
  set(change: Partial<T>): void
  subscribe(listener: () => void): () => void
}

export const createStore = <T extends object>(initial: T): Store<T> => {
  let value = initial
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set: (change) => {
      value = { ...value, ...change }
      for (const listener of [...listeners]) listener()
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** What `select` takes from the store; redraws the component when that has changed (by identity). */
export const useStore = <T extends object, S>(store: Store<T>, select: (value: T) => S): S => {
  const [, redraw] = useState(0)
  const selected = select(store.get())
  // The selector may depend on the properties of the moment: always ask the latest one.
  const latest = useRef({ select, selected })
  latest.current = { select, selected }
  useEffect(() => {
    const update = (): void => {
      if (latest.current.select(store.get()) !== latest.current.selected)
        redraw((count) => count + 1)
    }
    update()
    return store.subscribe(update)
  }, [store])
  return selected
}

/** The time, anew every second while `active`: for counters of seconds. */
export const useNowMs = (active: boolean): number => {
  const [nowMs, setNowMs] = useState(() => Date.now())
  useEffect(() => {
    if (!active) return
    setNowMs(Date.now())
    const timer = setInterval(() => setNowMs(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [active])
  return nowMs
}
