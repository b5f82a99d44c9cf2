/**
 * One RTCPeerConnection, negotiated once: what we send, what we receive, and how it heals. Sources change by
 * `replaceTrack`, content of slots by the server. Deliberately knows no messages: its owner carries offer and answer.
 */
import type { Cancel, Environment } from './environment.ts'
import { AUDIO_SLOTS, ICE_PATIENCE_MS, MEDIA_RECOVERY_MS } from './limits.ts'
import type { SectionUse, SlotUse, SourceUse } from './messages.ts'
import { withOpusResilience, withSpeechPackets } from './sdp.ts'
import type { MediaPhase } from './state.ts'

/** A place where something is received: who is in it, `ConferenceState.slots` says. */
export type MediaSlot = { mid: string; use: SlotUse; index: number; stream: MediaStream }

export type MediaOptions = {
  environment: Environment
  tiles: number
  /** Carries an offer to the server and resolves with the SDP of its answer. */
  negotiate: (sdp: string, sections: SectionUse[]) => Promise<string>
  /** Whether an offer can be carried now. */
  mayNegotiate: () => boolean
  onPhase: (phase: MediaPhase) => void
  /** The slots are new objects. */
  onSlots: (slots: MediaSlot[]) => void
}

const nothing = (): void => {}

/** Smallest picture first; the server forwards the one that fits (RFC 8853). */
const CAMERA_ENCODINGS: RTCRtpEncodingParameters[] = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_700_000 },
]
/** Of speech, before RED, which doubles it. */
const SPEECH_BPS_MAX = 32_000
const SPEECH_PACKET_MS = 20
/** Sound survives what kills the picture: it is sent first when the link is short. */
const MICROPHONE_ENCODINGS: RTCRtpEncodingParameters[] = [
  { priority: 'high', networkPriority: 'high', maxBitrate: SPEECH_BPS_MAX },
]
/** A slide must be sharp rather than smooth. */
const SCREEN_ENCODINGS: RTCRtpEncodingParameters[] = [{ maxBitrate: 2_000_000, maxFramerate: 15 }]

const SENT: readonly {
  use: SourceUse
  kind: 'audio' | 'video'
  encodings: RTCRtpEncodingParameters[]
}[] = [
  { use: 'microphone', kind: 'audio', encodings: MICROPHONE_ENCODINGS },
  { use: 'camera', kind: 'video', encodings: CAMERA_ENCODINGS },
  { use: 'screen', kind: 'video', encodings: SCREEN_ENCODINGS },
]

const PREFERRED: Readonly<Record<'audio' | 'video', string>> = {
  audio: 'audio/red',
  video: 'video/vp8',
}

/** The wanted codec first, all others in the browser's order. */
export const preferCodec = (codecs: readonly RTCRtpCodec[], mimeType: string): RTCRtpCodec[] => {
  const wanted = codecs.filter((codec) => codec.mimeType.toLowerCase() === mimeType)
  return [...wanted, ...codecs.filter((codec) => !wanted.includes(codec))]
}

type Sender = { use: SourceUse; transceiver: RTCRtpTransceiver }
type Receiver = { use: SlotUse; index: number; transceiver: RTCRtpTransceiver }

export class MediaLink {
  readonly #options: MediaOptions
  readonly #tracks = new Map<SourceUse, MediaStreamTrack>()
  #connection: RTCPeerConnection | undefined
  #senders: Sender[] = []
  #receivers: Receiver[] = []
  #negotiating = false
  /** Recoveries begun since the transport was last connected. */
  #recoveries = 0
  #phase: MediaPhase = 'new'
  #cancelTimer: Cancel = nothing
  #closed = false
  /** Of the node, as it came. */
  #answer = ''
  #packetMs = SPEECH_PACKET_MS
  #packetMsApplied = SPEECH_PACKET_MS
  #speechBps = SPEECH_BPS_MAX

  constructor(options: MediaOptions) {
    this.#options = options
  }

  get connection(): RTCPeerConnection | undefined {
    return this.#connection
  }

  /** A fresh transport with fresh slots; sources go on in it. */
  async rebuild(): Promise<void> {
    if (this.#closed) return
    this.#dropConnection()
    const connection = this.#options.environment.createPeerConnection({
      bundlePolicy: 'max-bundle',
      rtcpMuxPolicy: 'require',
      // No public server is ever asked: the node has an address or is not reachable at all.
      iceServers: [],
    })
    this.#connection = connection
    connection.onconnectionstatechange = () => this.#onConnectionState(connection)
    this.#addSections(connection)
    this.#setPhase('connecting')
    await this.#negotiate(connection, false)
  }

  /** Replaces what a source sends, without renegotiation; `undefined` stops it. Does not stop the old track. */
  async setTrack(use: SourceUse, track: MediaStreamTrack | undefined): Promise<void> {
    if (track === undefined) this.#tracks.delete(use)
    else this.#tracks.set(use, track)
    const sender = this.#senders.find((candidate) => candidate.use === use)
    await sender?.transceiver.sender.replaceTrack(track ?? null)
  }

  /**
   * Speech as the links between the nodes have room for it: holds for this transport and those after it. The node is
   * not asked: only what our own encoder reads in the answer changes.
   */
  async limitSpeech({
    packetMs,
    bitrateBps,
  }: {
    packetMs: number
    bitrateBps: number
  }): Promise<void> {
    this.#packetMs = packetMs
    this.#speechBps = bitrateBps === 0 ? SPEECH_BPS_MAX : Math.min(SPEECH_BPS_MAX, bitrateBps)
    await this.#applySpeech()
  }

  async #applySpeech(): Promise<void> {
    const connection = this.#connection
    const sender = this.#senders.find(({ use }) => use === 'microphone')?.transceiver.sender
    if (connection === undefined || sender === undefined || this.#answer === '') return
    const parameters = sender.getParameters()
    const [encoding] = parameters.encodings
    if (encoding !== undefined && encoding.maxBitrate !== this.#speechBps) {
      encoding.maxBitrate = this.#speechBps
      await sender.setParameters(parameters)
    }
    // A negotiation that is under way takes it along.
    if (this.#packetMs === this.#packetMsApplied || this.#negotiating) return
    this.#negotiating = true
    try {
      await connection.setLocalDescription(await connection.createOffer({ iceRestart: false }))
      await this.#takeAnswer(connection)
    } finally {
      if (this.#connection === connection) this.#negotiating = false
    }
  }

  async #takeAnswer(connection: RTCPeerConnection): Promise<void> {
    const packetMs = this.#packetMs
    const microphones = this.#senders.flatMap(({ use, transceiver }) =>
      use === 'microphone' && transceiver.mid !== null ? [transceiver.mid] : [],
    )
    const resilient = withOpusResilience(this.#answer, microphones)
    const isUsual = packetMs === SPEECH_PACKET_MS && this.#packetMsApplied === SPEECH_PACKET_MS
    const sdp = isUsual ? resilient : withSpeechPackets(resilient, microphones, packetMs)
    await connection.setRemoteDescription({ type: 'answer', sdp })
    if (this.#connection === connection) this.#packetMsApplied = packetMs
  }

  /** Begins what is due now that an offer can be carried again. */
  check(): void {
    const state = this.#connection?.connectionState
    if (this.#connection === undefined || this.#phase === 'lost') this.#recover('rebuild')
    else if (this.#connection.remoteDescription === null) this.#recover('rebuild')
    else if (state === 'failed' || state === 'disconnected') this.#recover('restart')
  }

  /** Looks for a new path while the old one still carries media. Without a transport there is none to restart. */
  async restart(): Promise<void> {
    const connection = this.#connection
    if (connection?.remoteDescription == null || !this.#options.mayNegotiate()) return
    await this.#negotiate(connection, true)
  }

  /** The server says that it has no transport for us any more. */
  transportGone(): void {
    const state = this.#connection?.connectionState
    // The farewell of the transport before this one; should it be of this one, the recovery watch sees to it.
    if (state === 'new' || state === 'connecting') return
    this.#setPhase('lost')
    this.#recover('rebuild')
  }

  /** The mid of a section of ours, once negotiated. */
  midOf(use: SourceUse): string | undefined {
    return this.#senders.find((candidate) => candidate.use === use)?.transceiver.mid ?? undefined
  }

  close(): void {
    this.#closed = true
    this.#dropConnection()
    this.#tracks.clear()
  }

  #dropConnection(): void {
    this.#cancelTimer()
    const connection = this.#connection
    this.#connection = undefined
    this.#answer = ''
    this.#packetMsApplied = SPEECH_PACKET_MS
    this.#senders = []
    this.#receivers = []
    this.#negotiating = false
    if (connection === undefined) return
    connection.onconnectionstatechange = null
    connection.close()
  }

  #addSections(connection: RTCPeerConnection): void {
    this.#senders = SENT.map(({ use, kind, encodings }) => {
      const track = this.#tracks.get(use)
      const transceiver = connection.addTransceiver(track ?? kind, {
        direction: 'sendonly',
        sendEncodings: encodings.map((encoding) => ({ ...encoding })),
      })
      this.#prefer(transceiver, kind)
      return { use, transceiver }
    })
    const receive = (use: SlotUse, kind: 'audio' | 'video', count: number): Receiver[] =>
      Array.from({ length: count }, (_, index) => {
        const transceiver = connection.addTransceiver(kind, { direction: 'recvonly' })
        this.#prefer(transceiver, kind)
        return { use, index, transceiver }
      })
    this.#receivers = [
      ...receive('audio', 'audio', AUDIO_SLOTS),
      ...receive('main', 'video', 1),
      ...receive('tile', 'video', this.#options.tiles),
    ]
  }

  #prefer(transceiver: RTCRtpTransceiver, kind: 'audio' | 'video'): void {
    const codecs = this.#options.environment.codecs(kind)
    if (codecs.length === 0 || transceiver.setCodecPreferences === undefined) return
    try {
      transceiver.setCodecPreferences(preferCodec(codecs, PREFERRED[kind]))
    } catch {
      // A wish only: a browser that refuses the list keeps its own order, and the server chooses.
    }
  }

  #sections(): SectionUse[] {
    return [...this.#senders, ...this.#receivers].flatMap(({ use, transceiver }) =>
      transceiver.mid === null ? [] : [{ mid: transceiver.mid, use }],
    )
  }

  async #negotiate(connection: RTCPeerConnection, iceRestart: boolean): Promise<void> {
    if (this.#negotiating) return
    this.#negotiating = true
    this.#watchRecovery()
    try {
      const offer = await connection.createOffer({ iceRestart })
      await connection.setLocalDescription(offer)
      const answer = await this.#options.negotiate(offer.sdp ?? '', this.#sections())
      if (this.#connection !== connection) return
      this.#answer = answer
      await this.#takeAnswer(connection)
      if (!iceRestart && this.#connection === connection) this.#options.onSlots(this.#slots())
    } finally {
      if (this.#connection === connection) {
        this.#negotiating = false
        // What was asked for meanwhile, and the rate of a fresh transport.
        this.#applySpeech().catch(nothing)
      }
    }
  }

  #slots(): MediaSlot[] {
    return this.#receivers.flatMap(({ use, index, transceiver }) =>
      transceiver.mid === null
        ? []
        : [
            {
              mid: transceiver.mid,
              use,
              index,
              stream: this.#options.environment.createStream(transceiver.receiver.track),
            },
          ],
    )
  }

  #onConnectionState(connection: RTCPeerConnection): void {
    if (this.#connection !== connection) return
    switch (connection.connectionState) {
      case 'connected':
        this.#cancelTimer()
        this.#recoveries = 0
        this.#setPhase('connected')
        return
      case 'disconnected':
        this.#setPhase('interrupted')
        this.#cancelTimer()
        this.#cancelTimer = this.#options.environment.after(ICE_PATIENCE_MS, () =>
          this.#recover('restart'),
        )
        return
      case 'failed':
        this.#setPhase('interrupted')
        this.#recover('restart')
        return
      default:
    }
  }

  /** First an ICE restart, which keeps everything; when that did not help, a fresh transport. */
  #recover(how: 'restart' | 'rebuild'): void {
    if (this.#closed || !this.#options.mayNegotiate()) return
    const restart = how === 'restart' && this.#recoveries === 0 && this.#phase !== 'lost'
    const connection = this.#connection
    this.#recoveries += 1
    const done =
      restart && connection !== undefined ? this.#negotiate(connection, true) : this.rebuild()
    // Failure is not lost: the recovery watch, or the next `check()`, goes on.
    done.catch(nothing)
  }

  #watchRecovery(): void {
    this.#cancelTimer()
    this.#cancelTimer = this.#options.environment.after(MEDIA_RECOVERY_MS, () => {
      if (this.#connection?.connectionState === 'connected') return
      this.#setPhase('lost')
      this.#recover('rebuild')
    })
  }

  #setPhase(phase: MediaPhase): void {
    if (this.#phase === phase) return
    this.#phase = phase
    this.#options.onPhase(phase)
  }
}
