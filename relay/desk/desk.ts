/**
 * Where the control sessions of all trunks, the rooms of this node and the trunk thread meet: which track is offered to
 * whom, what is taken in, whose choice a room follows, and what becomes of it all when a trunk is cut. One per node,
 * on the main thread, without sockets and clocks of its own. It decides nothing about packets (relay/router,
 * relay/trunk) and nothing about the log (relay/sync).
 */
import { CHOICES_MAX, TRACKS_PER_ANNOUNCE_MAX, TRACKS_PER_TRUNK_MAX } from '../../config/limits.ts'
import type { TrunkMessage, TrunkSession } from '../control/index.ts'
import type { ToTrunkThread } from '../media-port.ts'
import type {
  StageChoice,
  StagePort,
  TrackDescription,
  TrackName,
  UpstreamState,
} from '../stage-port.ts'
import type { StreamPlace, TrunkReport } from '../trunk/contract.ts'
import { Link } from './link.ts'
import { placeOf, samePlace } from './place.ts'
import { SpeechDesk } from './speech-desk.ts'
import { type Track, TrackBook } from './track-book.ts'
import { flagsOf, sameTrack, specOf } from './track-facts.ts'

export type TrunkDeskOptions = {
  stage: StagePort
  post: (message: ToTrunkThread) => void
  /** Lets packets of a publication of this node reach the trunk thread, or no longer. */
  letCross: (publicationId: number, on: boolean) => void
  now: () => { nowMs: number; wallMs: number }
  /** Whether this node has an upstream; a core has none and follows nobody. */
  hasUpstream: boolean
  /** How long what came over a trunk is kept after its session has ended, ms. */
  leaseMs: number
}

/** What a lost trunk leaves behind for the time of the lease. */
type Leftover = { link: Link; deadlineMs: number }

/** Feed it sessions; call `tick` about twice a second. */
export class TrunkDesk {
  readonly #options: TrunkDeskOptions
  readonly #tracks = new TrackBook()
  readonly #speech: SpeechDesk
  readonly #links = new Set<Link>()
  readonly #choices = new Map<string, StageChoice>()
  readonly #emergencies = new Set<string>()
  /** Rooms that somebody of this node is in, and those told to the upstream. */
  readonly #ownRooms = new Set<string>()
  readonly #toldRooms = new Set<string>()
  #leftovers: Leftover[] = []
  #upstream: UpstreamState
  #upstreamDeadlineMs: number

  constructor(options: TrunkDeskOptions) {
    this.#options = options
    this.#speech = new SpeechDesk(this.#tracks, options.stage)
    const { nowMs, wallMs } = options.now()
    this.#upstream = {
      state: 'connecting',
      sinceMs: wallMs,
      mark: 'red',
      rateBps: 0,
      lossRatio: 0,
      rttMs: 0,
      upstream: '',
    }
    this.#upstreamDeadlineMs = options.hasUpstream
      ? nowMs + options.leaseMs
      : Number.POSITIVE_INFINITY
    options.stage.watch({
      onPublished: (publicationId, track) => this.#onPublished(publicationId, track),
      onUnpublished: (publicationId) => this.#onUnpublished(publicationId),
      onChoice: (choice) => this.#onChoice(choice),
      onRoom: (room, present) => this.#onRoom(room, present),
      onEmergency: (room, emergency) => this.#onEmergency(room, emergency),
    })
    if (options.hasUpstream) options.stage.setUpstream(this.#upstream)
  }

  get links(): ReadonlySet<Link> {
    return this.#links
  }

  /** Some room of this node is an emergency. */
  get hasEmergency(): boolean {
    return this.#emergencies.size > 0
  }

  get upstream(): UpstreamState {
    return this.#upstream
  }

  get trackCount(): { own: number; remote: number } {
    let own = 0
    let remote = 0
    for (const { link } of this.#tracks.values()) {
      if (link === undefined) own += 1
      else remote += 1
    }
    return { own, remote }
  }

  // ---- sessions ----

  /** A control session stands. Its messages come by `onMessage`, its end by `removeSession`. */
  addSession(session: TrunkSession): Link {
    const link = new Link(session)
    this.#links.add(link)
    this.#options.post({ type: 'open-trunk', flow: session.flow })
    if (link.isUp) {
      this.#upstreamDeadlineMs = Number.POSITIVE_INFINITY
      const sinceMs = this.#options.now().wallMs
      this.#setUpstream({ state: 'connected', sinceMs, upstream: session.peer.name, mark: 'green' })
      this.#toldRooms.clear()
      this.#tellRooms()
    }
    for (const track of this.#tracks.values()) this.#offer(link, track)
    return link
  }

  /**
   * The session is over. What came over it stays for the time of the lease, in case it comes again; when it ended
   * because the lease did, nothing is waited for.
   */
  removeSession(link: Link, { isLeaseOver = false } = {}): void {
    if (!this.#links.delete(link)) return
    const { leaseMs, now, post } = this.#options
    const deadlineMs = now().nowMs + (isLeaseOver ? 0 : leaseMs)
    post({ type: 'close-trunk', trunkId: link.trunkId })
    this.#speech.forgetLink(link)
    for (const publicationId of [...link.offers.keys()]) this.#dropOffer(link, publicationId, false)
    if (link.announced.size > 0) this.#leftovers.push({ link, deadlineMs })
    if (link.isUp && ![...this.#links].some(({ isUp }) => isUp)) {
      this.#upstreamDeadlineMs = deadlineMs
      const sinceMs = now().wallMs - (isLeaseOver ? leaseMs : 0)
      this.#setUpstream({ state: 'connecting', sinceMs, mark: 'red', rateBps: 0 })
    }
    this.#tellRooms()
  }

  /**
   * One message of the far end; those that are not the desk's are ignored. Returns why the trunk must end, if it
   * must.
   */
  onMessage(link: Link, message: TrunkMessage): 'malformed' | undefined {
    switch (message.type) {
      case 'announce':
        return this.#onAnnounce(link, message)
      case 'withdraw':
        for (const streamId of message.streamIds) this.#onWithdrawn(link, streamId)
        return undefined
      case 'choice':
        if (link.isUp) this.#onChoiceAbove(message.choice)
        return undefined
      case 'speech':
        this.#speech.onMessage(link, message)
        return undefined
      case 'rooms':
        if (!link.isUp) this.#onRoomsBelow(link, message.rooms)
        return undefined
      default:
        return undefined
    }
  }

  /** Whose the streams are that are offered over a trunk, by their number there. */
  namesOf(link: Link): Map<number, TrackName> {
    const names = new Map<number, TrackName>()
    for (const [publicationId, { streamId }] of link.offers) {
      const track = this.#tracks.get(publicationId)
      if (track === undefined) continue
      const { room, participant, use } = track.description
      names.set(streamId, { room, participant, use })
    }
    return names
  }

  /** What a trunk reports of the streams that it sends: their publishers may be asked for less. */
  noteReport(link: Link, report: Pick<TrunkReport, 'streams' | 'speech'>): void {
    this.#speech.noteReport(link, report)
  }

  /** How the link above fares now. */
  noteUpstream(figures: Pick<UpstreamState, 'mark' | 'rateBps' | 'lossRatio' | 'rttMs'>): void {
    if (this.#upstream.state === 'connected') this.#setUpstream(figures)
  }

  tick(): void {
    const { nowMs } = this.#options.now()
    const ended = this.#leftovers.filter(({ deadlineMs }) => deadlineMs <= nowMs)
    if (ended.length > 0) {
      this.#leftovers = this.#leftovers.filter(({ deadlineMs }) => deadlineMs > nowMs)
      for (const { link } of ended) this.#forgetAll(link)
    }
    if (this.#upstreamDeadlineMs <= nowMs) {
      this.#upstreamDeadlineMs = Number.POSITIVE_INFINITY
      this.#becomeIsland()
    }
  }

  // ---- tracks ----

  #onPublished(publicationId: number, description: TrackDescription): void {
    const known = this.#tracks.get(publicationId)
    if (known === undefined) {
      const before = this.#tracks.named(description)
      if (before !== undefined) this.#remove(before)
      if (this.#tracks.isFull) return
      this.#tracks.add({ publicationId, description, link: undefined })
    } else known.description = description
    this.#offerToAll(this.#tracks.get(publicationId)!)
  }

  #onUnpublished(publicationId: number): void {
    const track = this.#tracks.get(publicationId)
    if (track !== undefined && track.link === undefined) this.#remove(track)
  }

  /** Out of the book, and out of all trunks that it was offered to. */
  #remove(track: Track): void {
    for (const link of this.#links) this.#dropOffer(link, track.publicationId, true)
    this.#tracks.delete(track)
    this.#speech.forgetTrack(track.publicationId)
    if (track.link === undefined) this.#options.letCross(track.publicationId, false)
    else this.#options.stage.forgetTrack(track.publicationId)
  }

  #offerToAll(track: Track): void {
    for (const link of this.#links) this.#offer(link, track)
  }

  /** Offers, renews, or takes back, as the room and the origin of the track say. */
  #offer(link: Link, track: Track): void {
    const { publicationId, description } = track
    // Never back to where it came from: no track can go round.
    const isDue = track.link !== link && link.wants(description.room)
    const known = link.offers.get(publicationId)
    if (!isDue) {
      if (known !== undefined) this.#dropOffer(link, publicationId, true)
      return
    }
    const place = this.#placeOf(description)
    const flagsKey = flagsOf(description)
    if (known !== undefined && known.flagsKey === flagsKey && samePlace(known.place, place)) return
    const streamId = known?.streamId ?? link.takeStreamId()
    if (streamId === undefined) return
    if (known === undefined && track.link === undefined) this.#options.letCross(publicationId, true)
    link.offers.set(publicationId, { streamId, place, flagsKey })
    const { trunkId } = link
    const spec = specOf(streamId, description)
    this.#options.post({ type: 'offer', trunkId, publicationId, spec, place })
    if (known?.flagsKey === flagsKey) return
    link.session.send({ type: 'announce', tracks: [{ streamId, track: description }] })
  }

  #dropOffer(link: Link, publicationId: number, tell: boolean): void {
    const offer = link.offers.get(publicationId)
    if (offer === undefined) return
    link.offers.delete(publicationId)
    this.#speech.forgetOffer(link, publicationId)
    link.releaseStreamId(offer.streamId)
    const { streamId } = offer
    if (tell) {
      this.#options.post({ type: 'withdraw', trunkId: link.trunkId, streamId })
      link.session.send({ type: 'withdraw', streamIds: [streamId] })
    }
    const isOwn = this.#tracks.get(publicationId)?.link === undefined
    const isOffered = [...this.#links].some((other) => other.offers.has(publicationId))
    if (isOwn && !isOffered) this.#options.letCross(publicationId, false)
  }

  #onAnnounce(
    link: Link,
    { tracks }: Extract<TrunkMessage, { type: 'announce' }>,
  ): 'malformed' | undefined {
    if (tracks.length > TRACKS_PER_ANNOUNCE_MAX) return 'malformed'
    for (const { streamId, track } of tracks) this.#take(link, streamId, track)
    return undefined
  }

  #take(link: Link, streamId: number, description: TrackDescription): void {
    const before = link.announced.get(streamId)
    if (before !== undefined && !sameTrack(before.description, description)) {
      this.#onWithdrawn(link, streamId)
    }
    const known = this.#tracks.named(description)
    // Our own participant's track, told by another: a loop, or a lie. Ours stands.
    if (known !== undefined && known.link === undefined) return
    if (known !== undefined && known.link !== link && this.#isLive(known.link)) return
    let track = known
    if (track === undefined) {
      const { size } = link.announced
      if (this.#tracks.isFull || size >= TRACKS_PER_TRUNK_MAX) return
      const publicationId = this.#options.stage.importTrack(description)
      track = { publicationId, description, link }
      this.#tracks.add(track)
    } else {
      this.#moveTo(track, link)
      track.description = description
      const { started, flowing } = description
      this.#options.stage.updateTrack(track.publicationId, { started, flowing })
    }
    if (link.announced.get(streamId) !== track) {
      link.announced.set(streamId, track)
      const { publicationId } = track
      const spec = specOf(streamId, description)
      this.#options.post({ type: 'expect', trunkId: link.trunkId, publicationId, spec })
      this.#speech.tellAgain(publicationId)
    }
    this.#offerToAll(track)
  }

  /** A track that came over a trunk that has ended comes over another now. */
  #moveTo(track: Track, link: Link): void {
    const from = track.link
    if (from === undefined || from === link) return
    for (const [streamId, other] of from.announced) {
      if (other === track) from.announced.delete(streamId)
    }
    track.link = link
    // What was offered to this very trunk would come back to where it is from.
    this.#offer(link, track)
  }

  #onWithdrawn(link: Link, streamId: number): void {
    const track = link.announced.get(streamId)
    if (track === undefined) return
    link.announced.delete(streamId)
    this.#options.post({ type: 'unexpect', trunkId: link.trunkId, streamId })
    this.#remove(track)
  }

  #forgetAll(link: Link): void {
    for (const track of link.announced.values()) {
      if (track.link === link) this.#remove(track)
    }
    link.announced.clear()
  }

  #isLive(link: Link | undefined): boolean {
    return link !== undefined && this.#links.has(link)
  }

  // ---- rooms and choices ----

  #onRoom(room: string, present: boolean): void {
    if (present) this.#ownRooms.add(room)
    else this.#ownRooms.delete(room)
    this.#tellRooms()
  }

  #onRoomsBelow(link: Link, rooms: readonly { room: string; present: boolean }[]): void {
    for (const { room, present } of rooms) {
      if (!present) link.rooms.delete(room)
      else if (link.rooms.size < CHOICES_MAX) link.rooms.add(room)
      for (const track of this.#tracks.values()) {
        if (track.description.room === room) this.#offer(link, track)
      }
      const choice = this.#choices.get(room)
      if (present && choice !== undefined) link.session.send({ type: 'choice', choice })
    }
    this.#tellRooms()
  }

  /** Tells the upstream which rooms are of interest here or below, as far as that has changed. */
  #tellRooms(): void {
    const up = [...this.#links].filter(({ isUp }) => isUp)
    if (up.length === 0) return
    const wanted = new Set(this.#ownRooms)
    for (const link of this.#links) {
      if (!link.isUp) for (const room of link.rooms) wanted.add(room)
    }
    const come = [...wanted].filter((room) => !this.#toldRooms.has(room))
    const gone = [...this.#toldRooms].filter((room) => !wanted.has(room))
    if (come.length + gone.length === 0) return
    for (const room of come) this.#toldRooms.add(room)
    for (const room of gone) this.#toldRooms.delete(room)
    const rooms = [
      ...come.map((room) => ({ room, present: true })),
      ...gone.map((room) => ({ room, present: false })),
    ]
    for (const { session } of up) session.send({ type: 'rooms', rooms })
  }

  /** This node's own director has chosen: it is not following anybody. */
  #onChoice(choice: StageChoice): void {
    this.#spread(choice)
  }

  #onChoiceAbove(choice: StageChoice): void {
    this.#options.stage.follow(choice.room, choice)
    this.#spread(choice)
  }

  #spread(choice: StageChoice): void {
    const { room } = choice
    if (!this.#choices.has(room) && this.#choices.size >= CHOICES_MAX) return
    this.#choices.set(room, choice)
    this.#place(room)
    for (const link of this.#links) {
      if (!link.isUp && link.rooms.has(room)) link.session.send({ type: 'choice', choice })
    }
  }

  #onEmergency(room: string, emergency: boolean): void {
    if (emergency) this.#emergencies.add(room)
    else this.#emergencies.delete(room)
    this.#place(room)
  }

  /** Where the room's tracks stand has changed, and with it their classes. */
  #place(room: string): void {
    for (const track of this.#tracks.values()) {
      if (track.description.room === room) this.#offerToAll(track)
    }
  }

  #placeOf(track: TrackDescription): StreamPlace {
    const { room } = track
    return placeOf(track, this.#choices.get(room), this.#emergencies.has(room))
  }

  // ---- the upstream ----

  #becomeIsland(): void {
    this.#setUpstream({ state: 'island', mark: 'red', rateBps: 0 })
    for (const room of this.#choices.keys()) this.#options.stage.follow(room, undefined)
  }

  #setUpstream(change: Partial<UpstreamState>): void {
    this.#upstream = { ...this.#upstream, ...change }
    this.#options.stage.setUpstream(this.#upstream)
  }
}
