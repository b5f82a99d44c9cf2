/** Pages of the roster for one search; read again when people come or go, but not at every one. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { RosterMember } from '../../sdk/index.ts'
import type { CallModel } from '../call-model.ts'
import { useStore } from '../store.ts'

const PAGE_SIZE = 50
const TYPING_PAUSE_MS = 300
/** A thousand sites that join within a minute must not become a thousand requests. */
const REFRESH_MS = 3_000

export type Roster = {
  members: readonly RosterMember[]
  total: number
  loading: boolean
  /** Loads the next page; `undefined` when this was the last. */
  more: (() => void) | undefined
}

type Loaded = { members: readonly RosterMember[]; total: number; cursor: string | null }
const NOTHING: Loaded = { members: [], total: 0, cursor: null }

const query = (search: string, cursor: string | null) => ({
  limit: PAGE_SIZE,
  ...(search === '' ? {} : { search }),
  ...(cursor === null ? {} : { cursor }),
})

export const useRoster = (model: CallModel, search: string): Roster => {
  const counts = useStore(model.store, (state) => state.conference.counts)
  const stage = useStore(model.store, (state) => state.conference.stage.length)
  const live = useStore(model.store, (state) => state.conference.phase === 'live')
  const [loaded, setLoaded] = useState<Loaded>(NOTHING)
  const [loading, setLoading] = useState(true)
  const latest = useRef(0)
  const first = useRef(true)

  const load = async (after: Loaded): Promise<void> => {
    latest.current += 1
    const request = latest.current
    setLoading(true)
    const worked = await model.attempt(async () => {
      const page = await model.conference.roster(query(search, after.cursor))
      // A later search has overtaken this one.
      if (request !== latest.current) return
      model.names.learn(page.members)
      setLoaded({
        members: [...after.members, ...page.members],
        total: page.total,
        cursor: page.cursor,
      })
    })
    if (request === latest.current || !worked) setLoading(false)
  }

  useEffect(() => {
    if (!live) return
    const timer = setTimeout(() => void load(NOTHING), first.current ? 0 : TYPING_PAUSE_MS)
    first.current = false
    return () => clearTimeout(timer)
  }, [search, live])

  useEffect(() => {
    // Who has paged further down reads in peace.
    if (!live || loaded.members.length > PAGE_SIZE) return
    const timer = setTimeout(() => void load(NOTHING), REFRESH_MS)
    return () => clearTimeout(timer)
  }, [counts.sites, counts.audience, stage])

  return {
    members: loaded.members,
    total: loaded.total,
    loading,
    more: loaded.cursor === null ? undefined : () => void load(loaded),
  }
}
