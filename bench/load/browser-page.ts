/**
 * What runs inside the page of a browser site: keeps its peer connections, and sends their media
 * over the emulated line.
 */

declare global {
  interface Window {
    benchConnections: RTCPeerConnection[]
  }
}

/** Where media goes instead of the answer's candidates. */
export type Detour = { address: string; port: number }

/** Runs before the page's own code. Must stand alone: it is sent to the browser as text. */
export function tapPage(detour: Detour | null): void {
  window.benchConnections = []
  const Connection = window.RTCPeerConnection
  const candidate = /^(a=candidate:\S+ \d+ udp \d+ )\S+ \d+/gim
  window.RTCPeerConnection = class extends Connection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration)
      window.benchConnections.push(this)
    }

    override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      if (detour === null || description.sdp === undefined)
        return super.setRemoteDescription(description)
      const to = `$1${detour.address} ${detour.port}`
      const sdp = description.sdp.replace(candidate, to)
      return super.setRemoteDescription({ type: description.type, sdp })
    }
  }
}

/** Runs in the page: state and statistics of its latest connection, as plain data. */
export async function readPage(): Promise<{
  state: string
  entries: (Record<string, unknown> & { type: string })[]
}> {
  const connection = window.benchConnections.at(-1)
  const entries: (Record<string, unknown> & { type: string })[] = []
  const wanted = ['inbound-rtp', 'outbound-rtp', 'candidate-pair']
  const report = await connection?.getStats()
  report?.forEach((entry) => {
    if (wanted.includes(entry.type)) entries.push(entry)
  })
  return { state: connection?.connectionState ?? 'none', entries }
}
