/**
 * The desk between seats and the media plane: offers become transports, reports become messages.
 * Holds every transport and publication of this node by its number, and the publications of other
 * nodes that are taken in. Knows rooms only as far as they must hear of changes.
 */

import { may, type Role } from '../../core/conference/index.ts'
import type {
  DisconnectCause,
  IceCredentials,
  MediaPlane,
  MediaReport,
  SourceUse,
  StreamQuality,
} from '../../core/media/control.ts'
import type { SpeechLimit } from '../../relay/stage-port.ts'
import type { Refusal } from '../protocol/index.ts'
import { negotiate, type Offer, parseOffer, type SectionUse, writeAnswer } from '../sdp/index.ts'
import { createPublication, type Publication } from './publication.ts'
import { markOf } from './quality.ts'
import type { RoomStage } from './room-stage.ts'
import type { Leg, Seat } from './seat.ts'

export type MediaDeskOptions = {
  media: MediaPlane
  randomBytes: (count: number) => Uint8Array
  nowMs: () => number
  room: (name: string) => RoomStage | undefined
}

export type Answered = { ok: true; answer: string } | ({ ok: false } & Refusal)

/**
 * RFC 8445 §5.3: at least 24 bits of the fragment and 128 of the password are random; base64 is its
 * alphabet.
 */
const UFRAG_BYTES = 6
const PASSWORD_BYTES = 18

/** All transports and publications of this node. */
export class MediaDesk {
  readonly #media: MediaPlane
  readonly #randomBytes: (count: number) => Uint8Array
  readonly #nowMs: () => number
  readonly #room: (name: string) => RoomStage | undefined
  readonly #transports = new Map<number, Seat>()
  readonly #publications = new Map<number, Publication>()
  readonly #imported = new Map<number, Publication>()
  #publicationIdLast = 0

  constructor({ media, randomBytes, nowMs, room }: MediaDeskOptions) {
    this.#media = media
    this.#randomBytes = randomBytes
    this.#nowMs = nowMs
    this.#room = room
  }

  get transportCount(): number {
    return this.#transports.size
  }

  /** Of this node or of another. */
  publication(id: number): Publication | undefined {
    return this.#publications.get(id) ?? this.#imported.get(id)
  }

  /** A number that no publication has had. */
  newPublicationId(): number {
    return ++this.#publicationIdLast
  }

  /** Of another node; told to the media plane by whoever takes it in. */
  addImported(publication: Publication): void {
    this.#imported.set(publication.id, publication)
  }

  imported(id: number): Publication | undefined {
    return this.#imported.get(id)
  }

  /** The publication that is forgotten, undefined when it is none of another node. */
  removeImported(id: number): Publication | undefined {
    const publication = this.#imported.get(id)
    this.#imported.delete(id)
    return publication
  }

  /**
   * Answers an offer. The first opens a transport; the same again gets the same answer; new ICE
   * credentials over the same certificate and sections restart ICE; another certificate replaces
   * the transport.
   */
  answer(seat: Seat, sdp: string, uses: readonly SectionUse[]): Answered {
    const parsed = parseOffer(sdp)
    if (!parsed.ok) return parsed
    const { offer } = parsed
    const { leg } = seat
    if (leg === undefined || !sameCertificate(leg, offer)) return this.#open(seat, offer, uses)
    if (!sameSections(leg, offer, uses)) {
      return { ok: false, code: 'bad-sdp', message: 'a later offer must hold the same sections' }
    }
    const { usernameFragment, password } = offer.iceRemote
    const unchanged = usernameFragment === leg.iceRemote.usernameFragment
    if (!unchanged || password !== leg.iceRemote.password) this.restart(seat, leg, offer.iceRemote)
    return { ok: true, answer: leg.answer }
  }

  /**
   * ICE restart (RFC 8445 §9) with the peer's new credentials; ours are new in `leg` afterwards.
   */
  restart(seat: Seat, leg: Leg, iceRemote: IceCredentials): void {
    leg.iceRemote = iceRemote
    leg.ice = this.#newCredentials()
    this.#writeAnswer(leg, leg.answer.includes('a=extmap-allow-mixed'))
    const { transportId, ice: iceLocal } = leg
    this.#media.send({ type: 'restart', transportId, iceLocal, iceRemote })
    this.#room(seat.room)?.touch(seat)
  }

  #open(seat: Seat, offer: Offer, uses: readonly SectionUse[]): Answered {
    const room = this.#room(seat.room)
    if (room === undefined) return { ok: false, code: 'not-found', message: 'the room is closed' }
    const maySend = may(seat.role as Role, 'be-on-stage')
    const newPublicationId = (): number => this.newPublicationId()
    const negotiation = negotiate({ offer, uses, maySend, newPublicationId })
    if (!negotiation.ok) return negotiation
    if (seat.leg !== undefined) this.close(seat)
    if (!seat.step('negotiate')) return { ok: false, code: 'bad-state', message: 'not now' }
    const { transportId, candidates } = this.#media.reserve(room.roomId)
    const publications = new Map<SourceUse, Publication>()
    for (const { section } of negotiation.sections) {
      if (section?.direction !== 'in') continue
      const { publicationId: id, use, kind, codecs, rids } = section
      const { participant, room: name } = seat
      const layerCount = Math.max(1, rids.length)
      const media = { kind, codecs, layerCount }
      publications.set(use, createPublication({ id, room: name, participant, use, media }))
    }
    const leg: Leg = {
      transportId,
      candidates,
      fingerprints: offer.fingerprints,
      sections: negotiation.sections,
      uses: usesByPosition(offer, uses),
      publications,
      sessionId: transportId,
      ice: this.#newCredentials(),
      iceRemote: offer.iceRemote,
      answerCount: 0,
      answer: '',
      connected: false,
      paused: new Set(),
      sentViews: '',
      sentSlots: '',
    }
    this.#writeAnswer(leg, offer.extmapAllowMixed)
    this.#admit(seat, leg, room)
    return { ok: true, answer: leg.answer }
  }

  #admit(seat: Seat, leg: Leg, room: RoomStage): void {
    const { transportId } = leg
    seat.leg = leg
    this.#transports.set(transportId, seat)
    for (const publication of leg.publications.values()) {
      this.#publications.set(publication.id, publication)
    }
    this.#media.send({
      type: 'open',
      spec: {
        transportId,
        roomId: room.roomId,
        iceLocal: leg.ice,
        iceRemote: leg.iceRemote,
        fingerprints: [...leg.fingerprints],
        sections: leg.sections.map(({ section }) => section).filter((one) => one !== undefined),
        permitted: [...seat.self.permitted],
      },
    })
    this.#sendMutes(seat, false)
    room.sourcesChanged(this.#nowMs())
    room.touch(seat)
  }

  #newCredentials(): IceCredentials {
    const text = (bytes: number): string =>
      Buffer.from(this.#randomBytes(bytes)).toString('base64').replace(/=/g, '')
    return { usernameFragment: text(UFRAG_BYTES), password: text(PASSWORD_BYTES) }
  }

  #writeAnswer(leg: Leg, extmapAllowMixed: boolean): void {
    const { ice, candidates } = leg
    leg.answerCount++
    leg.answer = writeAnswer({
      sections: leg.sections,
      local: { ice, candidates, fingerprint: this.#media.fingerprint },
      extmapAllowMixed,
      sessionId: leg.sessionId,
      sessionVersion: leg.answerCount,
    })
  }

  /** Levels of publications by the room that they are in; those that are gone are left out. */
  levelsByRoom(levels: readonly [number, number][]): Map<string, [number, number][]> {
    const byRoom = new Map<string, [number, number][]>()
    for (const pair of levels) {
      const room = this.publication(pair[0])?.room
      if (room === undefined) continue
      const pairs = byRoom.get(room)
      if (pairs === undefined) byRoom.set(room, [pair])
      else pairs.push(pair)
    }
    return byRoom
  }

  /** Ends a seat's transport at once, if it has one. */
  close(seat: Seat): void {
    const { leg } = seat
    if (leg === undefined) return
    this.#media.send({ type: 'close', transportId: leg.transportId })
    this.#forget(seat, leg)
  }

  #forget(seat: Seat, leg: Leg): void {
    this.#transports.delete(leg.transportId)
    for (const { id } of leg.publications.values()) this.#publications.delete(id)
    seat.leg = undefined
    seat.step('media-lost')
    this.#room(seat.room)?.sourcesChanged(this.#nowMs())
  }

  /** Passes on what the conference permits and mutes now. */
  applySelf(seat: Seat): void {
    const { leg } = seat
    if (leg === undefined) return
    this.#media.send({
      type: 'permit',
      transportId: leg.transportId,
      uses: [...seat.self.permitted],
    })
    this.#sendMutes(seat, true)
  }

  #sendMutes(seat: Seat, all: boolean): void {
    for (const { id, use } of seat.leg?.publications.values() ?? []) {
      const mute = seat.self.muted[use]
      const muted = mute.self || mute.chair
      if (all || muted) this.#media.send({ type: 'mute', publicationId: id, muted })
    }
  }

  /** Asks the publisher of one of ours for speech that fits the links below. */
  limitSpeech(id: number, limit: SpeechLimit): void {
    const publication = this.#publications.get(id)
    if (publication === undefined) return
    publication.speechLimit = limit
    for (const seat of this.#transports.values()) {
      if (seat.participant === publication.participant) this.sendLimits(seat)
    }
  }

  /** Says again what a seat's publications are asked for, if anything ever was. */
  sendLimits(seat: Seat): void {
    for (const { use, speechLimit } of seat.leg?.publications.values() ?? []) {
      if (speechLimit !== undefined) seat.send({ type: 'limit', use, ...speechLimit })
    }
  }

  /** One report of the media plane. `levels` go to the rooms by hub.ts. */
  onReport(report: Exclude<MediaReport, { type: 'levels' | 'stats' }>): void {
    switch (report.type) {
      case 'connected':
        this.#onConnected(report.transportId)
        break
      case 'disconnected':
        this.#onDisconnected(report.transportId, report.cause)
        break
      case 'flowing':
        this.#onFlowing(report.publicationId, report.flowing)
        break
      case 'quality':
        this.#onQuality(report.transportId, report.streams)
        break
    }
  }

  #onConnected(transportId: number): void {
    const seat = this.#transports.get(transportId)
    if (seat?.leg === undefined) return
    seat.leg.connected = true
    seat.send({ type: 'media', state: 'connected' })
    this.#room(seat.room)?.touch(seat)
  }

  #onDisconnected(transportId: number, cause: DisconnectCause): void {
    const seat = this.#transports.get(transportId)
    if (seat?.leg === undefined) return
    this.#forget(seat, seat.leg)
    seat.send({ type: 'media', state: 'disconnected', cause })
    seat.listener?.onMediaLost(cause)
  }

  #onFlowing(publicationId: number, flowing: boolean): void {
    const publication = this.publication(publicationId)
    if (publication === undefined) return
    publication.flowsHere = flowing
    publication.started ||= flowing
    this.#room(publication.room)?.flowChanged(this.#nowMs())
  }

  #onQuality(transportId: number, streams: readonly StreamQuality[]): void {
    const seat = this.#transports.get(transportId)
    if (seat?.leg === undefined) return
    const paused = streams.filter(isPaused).map(({ mid }) => mid)
    const { leg } = seat
    if (paused.length !== leg.paused.size || paused.some((mid) => !leg.paused.has(mid))) {
      leg.paused = new Set(paused)
      this.#room(seat.room)?.touch(seat)
    }
    seat.send({ type: 'quality', streams: streams.map(markOf) })
  }
}

/** A slot that could show something if the link allowed. */
function isPaused(stream: StreamQuality): boolean {
  const wanted = stream.direction === 'out' && stream.spatialLayerWanted >= 0
  return wanted && stream.spatialLayer < 0 && stream.reason === 'bandwidth'
}

function sameCertificate(leg: Leg, offer: Offer): boolean {
  const known = new Set(leg.fingerprints.map(({ value }) => value))
  return offer.fingerprints.some(({ value }) => known.has(value))
}

function usesByPosition(offer: Offer, uses: readonly SectionUse[]): string[] {
  const byMid = new Map(uses.map(({ mid, use }) => [mid, use]))
  return offer.sections.map(({ mid }) => byMid.get(mid) ?? '')
}

function sameSections(leg: Leg, offer: Offer, uses: readonly SectionUse[]): boolean {
  const now = usesByPosition(offer, uses)
  return (
    offer.sections.length === leg.sections.length &&
    offer.sections.every(
      ({ mid }, index) =>
        mid === leg.sections[index]?.offered.mid && now[index] === leg.uses[index],
    )
  )
}
