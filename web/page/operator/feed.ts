/** Asks the server for the tree every two seconds while the page is seen. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { TrunkStatus } from '../../../relay/status/trunk-status.ts'

const POLL_MS = 2_000
const TIMEOUT_MS = 8_000

/** `refused`: the token is not good for this; `none`: a node without trunks. */
export type FeedFailure = 'refused' | 'none' | 'unreachable'

export type Feed = {
  status: TrunkStatus | undefined
  failure: FeedFailure | undefined
  /** When the figures came, by this machine's clock. */
  atMs: number
}

type Answer = { status: TrunkStatus } | { failure: FeedFailure }

async function ask(token: string, historyOf: string | undefined): Promise<Answer> {
  const query = historyOf === undefined ? '' : `?history=${encodeURIComponent(historyOf)}`
  try {
    const response = await fetch(`/api/v1/trunk${query}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (response.status === 401 || response.status === 403) return { failure: 'refused' }
    if (response.status === 404) return { failure: 'none' }
    if (!response.ok) return { failure: 'unreachable' }
    return { status: (await response.json()) as TrunkStatus }
  } catch {
    return { failure: 'unreachable' }
  }
}

/** The latest answer; `historyOf` names the node whose last ten minutes are wanted and may change at any time. */
export function useFeed(token: string, historyOf: string | undefined): Feed {
  const [feed, setFeed] = useState<Feed>({ status: undefined, failure: undefined, atMs: 0 })
  const wanted = useRef(historyOf)
  wanted.current = historyOf
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let isOver = false
    const turn = async (): Promise<void> => {
      clearTimeout(timer)
      if (!document.hidden) {
        const answer = await ask(token, wanted.current)
        if (isOver) return
        setFeed((before) =>
          'status' in answer
            ? { status: answer.status, failure: undefined, atMs: Date.now() }
            : { ...before, failure: answer.failure },
        )
      }
      clearTimeout(timer)
      timer = setTimeout(() => void turn(), POLL_MS)
    }
    const onSeen = (): void => void turn()
    document.addEventListener('visibilitychange', onSeen)
    void turn()
    return () => {
      isOver = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', onSeen)
    }
    // Another choice is asked for at once.
  }, [token, historyOf])
  return feed
}
