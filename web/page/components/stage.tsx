/** The main picture and the small ones; tells the conference what is drawn where, and how large. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { MediaSlot, Pin, SlotState } from '../../sdk/index.ts'
import { assignTiles } from '../../sdk/index.ts'
import type { CallModel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import type { Card } from '../pictures.ts'
import { CARDS_MAX, mainOccupant, pinKey, stageCards, wantedTiles } from '../pictures.ts'
import { useStore } from '../store.ts'
import { MainPicture } from './main-picture.tsx'
import { TileCard } from './tile-card.tsx'
import { useDrawnSize, usePageVisible } from './use-drawn-size.ts'

export function Stage({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const conference = useStore(model.store, (state) => state.conference)
  const slots = useStore(model.store, (state) => state.slots)
  const chosen = useStore(model.store, (state) => state.chosen)
  const recent = useStore(model.store, (state) => state.recent)
  const mainSlot = slots.find((slot) => slot.use === 'main')
  const main = mainOccupant(conference.slots, mainSlot?.mid)
  const cards = stageCards(conference)
  const shownCards = cards.slice(0, CARDS_MAX)
  const tiles = useTiles({ cards: shownCards, main, recent, slots })
  const [visible, setVisible] = useState<ReadonlySet<string>>(new Set())
  const mainFrame = useRef<HTMLDivElement>(null)
  const mainSize = useDrawnSize(mainFrame)
  const row = useRef<HTMLUListElement>(null)
  const tileSize = useDrawnSize(row, '.tile')
  const pageVisible = usePageVisible()

  useEffect(() => {
    model.conference.setView({
      main: chosen,
      mainSize: pageVisible ? mainSize : undefined,
      tiles: tiles.map((pin) => {
        if (pin === undefined || tileSize === undefined || !pageVisible) return undefined
        return visible.has(pinKey(pin)) ? { ...pin, ...tileSize } : undefined
      }),
    })
  }, [model, chosen, mainSize, tileSize, pageVisible, tiles, visible, slots])

  useVisibleCards(row, shownCards.map((card) => card.key).join(), setVisible)
  const tileSlots = slots.filter((slot) => slot.use === 'tile')
  const slotOf = (card: Card): MediaSlot | undefined =>
    tileSlots[tiles.findIndex((pin) => pin !== undefined && pinKey(pin) === card.key)]
  return (
    <section
      class={`stage ${cards.length === 0 ? 'alone' : ''}`}
      aria-label={t('call.screenReaderStage')}
    >
      <div class="main-frame" ref={mainFrame}>
        <MainPicture model={model} slot={mainSlot} occupant={main} />
      </div>
      {cards.length === 0 ? null : (
        <ul class="tiles" ref={row} aria-label={t('call.tiles')} data-testid="tiles">
          {shownCards.map((card) => (
            <TileCard
              key={card.key}
              model={model}
              card={card}
              slot={slotOf(card)}
              inMain={main?.participant === card.participant && main.use === card.use}
            />
          ))}
          {cards.length > CARDS_MAX ? (
            <li class="tile more-tiles">
              <button type="button" class="button" onClick={() => model.togglePanel('people')}>
                {t('call.moreOnStage', { count: cards.length - CARDS_MAX })}
              </button>
            </li>
          ) : null}
        </ul>
      )}
    </section>
  )
}

type TilesInput = {
  cards: readonly Card[]
  main: SlotState | undefined
  recent: readonly string[]
  slots: readonly MediaSlot[]
}

/** The occupants of the tiles: the same array while nobody moves. */
const useTiles = ({ cards, main, recent, slots }: TilesInput): readonly (Pin | undefined)[] => {
  const previous = useRef<readonly (Pin | undefined)[]>([])
  const count = slots.filter((slot) => slot.use === 'tile').length
  const wanted = wantedTiles(cards, main, recent)
  const key = `${count}:${wanted.map(pinKey).join()}`
  return useMemo(() => {
    previous.current = assignTiles(previous.current, wanted, count)
    return previous.current
  }, [key])
}

/** Cards scrolled out of sight need no picture. */
const useVisibleCards = (
  row: { current: HTMLElement | null },
  key: string,
  onVisible: (keys: ReadonlySet<string>) => void,
): void => {
  useEffect(() => {
    if (row.current === null) return
    const visible = new Set<string>()
    const observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          const card = (target as HTMLElement).dataset.card ?? ''
          if (isIntersecting) visible.add(card)
          else visible.delete(card)
        }
        onVisible(new Set(visible))
      },
      { root: row.current, threshold: 0.1 },
    )
    for (const card of row.current.querySelectorAll('[data-card]')) observer.observe(card)
    return () => observer.disconnect()
  }, [key])
}
