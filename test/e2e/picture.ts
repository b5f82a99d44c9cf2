/**
 * How long the main picture stood still, by frames that were really presented. The clock is the
 * page's own timer: time in which the whole page had no CPU is the machine's fault, and counts as
 * one tick at most.
 */
import type { Person } from './person.ts'

type PictureWatch = { stillMs: number; longestMs: number; frames: number }

declare global {
  interface Window {
    pictureWatch: PictureWatch
  }
}

/** What a page's watch has seen since it began, or since `restart`. */
export type GapWatch = {
  /** Longest time without a new frame, the one that still lasts included. */
  longestMs: () => Promise<number>
  /** Frames presented. */
  count: () => Promise<number>
  /** Forgets what was; for after a screenshot, which stops the page for a moment. */
  restart: () => Promise<void>
}

/** Follows the main picture's element, even when the page exchanges it. Once a page. */
export async function watchGaps({ page }: Person): Promise<GapWatch> {
  await page.evaluate(() => {
    const tickMs = 50
    const watch = { stillMs: 0, longestMs: 0, frames: 0 }
    window.pictureWatch = watch
    const followed = new WeakSet<HTMLVideoElement>()
    const follow = (video: HTMLVideoElement): void => {
      video.requestVideoFrameCallback(() => {
        watch.stillMs = 0
        watch.frames += 1
        follow(video)
      })
    }
    let lastMs = performance.now()
    setInterval(() => {
      const nowMs = performance.now()
      watch.stillMs += Math.min(nowMs - lastMs, 2 * tickMs)
      watch.longestMs = Math.max(watch.longestMs, watch.stillMs)
      lastMs = nowMs
      const video = document.querySelector<HTMLVideoElement>('[data-testid="main-video"]')
      if (video === null || followed.has(video)) return
      followed.add(video)
      follow(video)
    }, tickMs)
  })
  return {
    longestMs: () => page.evaluate(() => window.pictureWatch.longestMs),
    count: () => page.evaluate(() => window.pictureWatch.frames),
    restart: () =>
      page.evaluate(() => {
        Object.assign(window.pictureWatch, { stillMs: 0, longestMs: 0, frames: 0 })
      }),
  }
}
