/** How long the main picture stood still: the time between frames that were really presented. */
import type { Person } from './person.ts'

declare global {
  interface Window {
    pictureGapsMs: number[]
    pictureLastMs: number
  }
}

export type GapWatch = {
  /** Longest time without a new frame since the watch began, the one that still lasts included. */
  longestMs: () => Promise<number>
  /** Frames presented since then. */
  count: () => Promise<number>
  /** Forgets what was; for after a screenshot, which stops the page for a moment. */
  restart: () => Promise<void>
}

/** Follows the main picture's element, even when the page exchanges it. */
export async function watchGaps(person: Person): Promise<GapWatch> {
  await person.page.evaluate(() => {
    window.pictureGapsMs = []
    window.pictureLastMs = performance.now()
    const followed = new WeakSet<HTMLVideoElement>()
    const follow = (video: HTMLVideoElement): void => {
      video.requestVideoFrameCallback((nowMs) => {
        window.pictureGapsMs.push(nowMs - window.pictureLastMs)
        window.pictureLastMs = nowMs
        follow(video)
      })
    }
    setInterval(() => {
      const video = document.querySelector<HTMLVideoElement>('[data-testid="main-video"]')
      if (video === null || followed.has(video)) return
      followed.add(video)
      follow(video)
    }, 50)
  })
  return {
    longestMs: () =>
      person.page.evaluate(() =>
        Math.max(performance.now() - window.pictureLastMs, ...window.pictureGapsMs),
      ),
    count: () => person.page.evaluate(() => window.pictureGapsMs.length),
    restart: () =>
      person.page.evaluate(() => {
        window.pictureGapsMs = []
        window.pictureLastMs = performance.now()
      }),
  }
}
