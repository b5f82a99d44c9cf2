/** How large something is drawn, in device pixels, and whether anybody can see the page at all. */
import { useEffect, useState } from 'preact/hooks'
import type { Size } from '../../sdk/index.ts'

/** Smaller changes are not worth a message. */
const STEP_PX = 16

const rounded = (cssPx: number): number => Math.ceil((cssPx * devicePixelRatio) / STEP_PX) * STEP_PX

/** The size of the element, or of the first match of `selector` inside of it; `undefined` while not drawn. */
export const useDrawnSize = (
  element: { current: HTMLElement | null },
  selector?: string,
): Size | undefined => {
  const [size, setSize] = useState<Size | undefined>(undefined)
  useEffect(() => {
    const measure = (): void => {
      const root = element.current
      const target = selector === undefined ? root : root?.querySelector(selector)
      const box = target?.getBoundingClientRect()
      if (box === undefined || box.width === 0 || box.height === 0) {
        setSize(undefined)
        return
      }
      const widthPx = rounded(box.width)
      const heightPx = rounded(box.height)
      setSize((before) =>
        before?.widthPx === widthPx && before.heightPx === heightPx
          ? before
          : { widthPx, heightPx },
      )
    }
    if (element.current === null) {
      setSize(undefined)
      return
    }
    const observer = new ResizeObserver(measure)
    observer.observe(element.current)
    measure()
    return () => observer.disconnect()
  }, [element.current])
  return size
}

/** False while the tab is hidden: then no picture needs to be sent. */
export const usePageVisible = (): boolean => {
  const [visible, setVisible] = useState(document.visibilityState === 'visible')
  useEffect(() => {
    const update = (): void => setVisible(document.visibilityState === 'visible')
    document.addEventListener('visibilitychange', update)
    return () => document.removeEventListener('visibilitychange', update)
  }, [])
  return visible
}
