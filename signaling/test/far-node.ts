/** For tests of the doors: another node of the tree, as its log and its tracks are seen here. */

import type { ParticipantCommand, Role } from '../../core/conference/index.ts'
import { type Conference, createConference, type Joined } from '../../core/conference/index.ts'
import type { CodecSpec, SourceUse } from '../../core/media/control.ts'
import type { TrackDescription } from '../../relay/stage-port.ts'
import type { Harness } from './harness.ts'
import { MemoryStore } from './memory-store.ts'

const OPUS: CodecSpec = { codec: 'opus', payloadType: 111, clockRate: 48_000 }
const VP8: CodecSpec = { codec: 'vp8', payloadType: 96, clockRate: 90_000 }

/** Its conference decides at once; `sync` carries both logs over. */
export class FarNode {
  readonly conference: Conference
  readonly #harness: Harness
  readonly #store: MemoryStore
  #connections = 0

  constructor(harness: Harness, nodeId = 'nfar') {
    this.#harness = harness
    this.#store = new MemoryStore(nodeId)
    this.conference = createConference({
      store: this.#store,
      randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
      now: harness.host.now(),
    })
  }

  /** A participant of that node, with these sources live. Known here after `sync`. */
  async join(role: Role, uses: readonly SourceUse[] = []): Promise<string> {
    this.#connections += 1
    const identity = { role, name: 'Xa', site: 'Trường Sa', subject: '', tokenId: '' }
    const joined = await this.#decided<Joined>((reply) =>
      this.conference.join(
        {
          room: 'giao-ban',
          identity: { ...identity, tokenExpiresMs: this.#harness.host.wallMs + 3_600_000 },
          connection: this.#connections,
        },
        (result) => reply(result.ok ? result.value : undefined),
      ),
    )
    for (const use of uses) {
      await this.command(joined.participant, { type: 'publish', use, live: true })
    }
    return joined.participant
  }

  /** 'ok' or the code of the refusal. */
  async command(participant: string, command: ParticipantCommand): Promise<string> {
    return await this.#decided<string>((reply) =>
      this.conference.command(participant, command, (result) =>
        reply(result.ok ? 'ok' : result.code),
      ),
    )
  }

  async #decided<T>(ask: (reply: (value: T | undefined) => void) => void): Promise<T> {
    let answer: T | undefined
    ask((value) => {
      answer = value
    })
    await this.#flush()
    if (answer === undefined) throw new Error('the far node has refused')
    return answer
  }

  async #flush(): Promise<void> {
    for (;;) {
      const now = this.#harness.host.now()
      const batch = this.conference.flush(now, [])
      if (batch === undefined) return
      this.conference.settle(await this.#store.append(batch), now, [])
    }
  }

  /** Each node gets what it lacks of the other's log; the clients here hear of it. */
  async sync(): Promise<void> {
    const near = this.#harness.host
    const there = [...this.#store.events]
    this.conference.ingest([...near.store.events], () => {})
    await this.#flush()
    near.conference.ingest(there, () => {})
    await this.#harness.pass(200)
  }
}

/** A track of a participant of another node, as its trunk tells of it. */
export function farTrack(
  participant: string,
  use: SourceUse,
  flags: Partial<Pick<TrackDescription, 'started' | 'flowing'>> = {},
): TrackDescription {
  const isAudio = use === 'microphone'
  return {
    ...{ room: 'giao-ban', participant, use },
    kind: isAudio ? 'audio' : 'video',
    codecs: [isAudio ? OPUS : VP8],
    layerCount: use === 'camera' ? 3 : 1,
    started: true,
    flowing: true,
    ...flags,
  }
}
