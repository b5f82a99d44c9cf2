/**
 * The rim of the SDK: everything that touches the browser's network, clock or chance, in one object, so that the
 * rest runs in tests with fakes. Deliberately without any decision.
 */

/** The part of WebSocket that the SDK uses. */
export type SocketLike = {
  binaryType: string
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number; reason: string }) => void) | null
  onerror: (() => void) | null
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
}

/** Cancels a timer or a watch; calling it twice is harmless. */
export type Cancel = () => void

export type Environment = {
  createSocket(url: string, protocols: string[]): SocketLike
  createPeerConnection(configuration: RTCConfiguration): RTCPeerConnection
  /** Codecs that this browser can handle, in its own order; empty where it does not tell. */
  codecs(kind: 'audio' | 'video'): RTCRtpCodec[]
  createStream(track: MediaStreamTrack): MediaStream
  /** Calls once after `delayMs`. */
  after(delayMs: number, callback: () => void): Cancel
  /** Milliseconds since the epoch. */
  nowMs(): number
  /** 0 (included) to 1 (excluded). */
  random(): number
  /** Calls whenever the network may be back: `online`, the page becomes visible, the connection type changes. */
  watchNetwork(callback: () => void): Cancel
}

const watchNetwork = (callback: () => void): Cancel => {
  const onVisible = (): void => {
    if (document.visibilityState === 'visible') callback()
  }
  addEventListener('online', callback)
  addEventListener('pageshow', callback)
  document.addEventListener('visibilitychange', onVisible)
  return () => {
    removeEventListener('online', callback)
    removeEventListener('pageshow', callback)
    document.removeEventListener('visibilitychange', onVisible)
  }
}

/** The browser itself. */
export const browserEnvironment = (): Environment => ({
  createSocket: (url, protocols) => new WebSocket(url, protocols) as unknown as SocketLike,
  createPeerConnection: (configuration) => new RTCPeerConnection(configuration),
  codecs: (kind) => RTCRtpReceiver.getCapabilities?.(kind)?.codecs ?? [],
  createStream: (track) => new MediaStream([track]),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
  nowMs: () => Date.now(),
  random: () => Math.random(),
  watchNetwork,
})
