import test, { type ExecutionContext } from 'ava'
import type { Conference, ConferenceState, SourceUse } from '../sdk/index.ts'
import { initialState } from '../sdk/state.ts'
import { CallModel } from './call-model.ts'

type Call = {
  model: CallModel
  asked: string[]
  opened: string[]
  self: (permitted: SourceUse[]) => void
  /** The conference has changed so. */
  become: (news: Partial<ConferenceState>) => void
}

const fakeTrack = (): MediaStreamTrack =>
  ({ stop: () => undefined, addEventListener: () => undefined }) as unknown as MediaStreamTrack

/** A page in a conference that has not said yet what one may send; devices open at once. */
function call(t: ExecutionContext, microphone: MediaStreamTrack | undefined): Call {
  const asked: string[] = []
  const opened: string[] = []
  const getUserMedia = (wish: MediaStreamConstraints) => {
    opened.push(wish.audio === undefined ? 'camera' : 'microphone')
    return Promise.resolve({ getTracks: () => [fakeTrack()] })
  }
  Object.defineProperty(navigator, 'mediaDevices', { value: { getUserMedia }, configurable: true })
  t.teardown(() => Reflect.deleteProperty(navigator, 'mediaDevices'))
  let state = initialState(0)
  let change: (state: ConferenceState) => void = () => undefined
  const conference = {
    get state() {
      return state
    },
    slots: [],
    on: (name: string, listener: typeof change) => {
      if (name === 'change') change = listener
      return () => undefined
    },
    setSource: (use: string, track: unknown) => {
      asked.push(`${use} ${track === undefined ? 'off' : 'on'}`)
      return Promise.resolve()
    },
    setMuted: (use: string, muted: boolean) => {
      asked.push(`${use} ${muted ? 'muted' : 'unmuted'}`)
      return Promise.resolve()
    },
  }
  const model = new CallModel({
    conference: conference as unknown as Conference,
    translate: () => (key) => key,
    camera: undefined,
    microphone,
    devices: { camera: '', microphone: '' },
  })
  asked.length = 0
  const become = (news: Partial<ConferenceState>): void => {
    state = { ...state, ...news }
    change(state)
  }
  const self = (permitted: SourceUse[]): void =>
    become({ self: { onStage: permitted.length > 0, permitted, muted: {} } })
  return { model, asked, opened, self, become }
}

/** Lets what was begun come to its end. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test.serial(
  'an open microphone is muted at once, before the server has said anything',
  async (t) => {
    const { model, asked, self } = call(t, fakeTrack())
    await model.toggleMicrophone()
    t.true(model.store.get().microphoneMuted)
    t.deepEqual(asked, ['microphone muted'])
    self(['microphone', 'camera'])
    await settle()
    t.true(model.store.get().microphoneMuted, 'and stays so')
    t.deepEqual(model.store.get().notices, [])
  },
)

test.serial('what is pressed before the server has spoken is done when it has', async (t) => {
  const { model, asked, opened, self } = call(t, undefined)
  await model.toggleMicrophone()
  await model.toggleCamera()
  t.deepEqual(opened, [])
  self(['microphone', 'camera'])
  await settle()
  t.deepEqual(opened, ['microphone', 'camera'])
  t.deepEqual(asked, ['microphone unmuted', 'microphone on', 'camera on'])
  t.deepEqual(model.store.get().notices, [])
})

test.serial('a second early press takes the first back', async (t) => {
  const { model, opened, self } = call(t, undefined)
  await model.toggleMicrophone()
  await model.toggleMicrophone()
  self(['microphone'])
  await settle()
  t.deepEqual(opened, [])
})

test.serial('an early press of one who may not send opens nothing and says why', async (t) => {
  const { model, opened, self } = call(t, undefined)
  await model.toggleMicrophone()
  self([])
  await settle()
  t.deepEqual(opened, [])
  t.deepEqual(
    model.store.get().notices.map(({ text }) => text),
    ['control.notOnStage'],
  )
})

const ME = { participant: 'pme', role: 'speaker', name: 'Mai', site: '' } as const

test.serial('an emergency is news, unless it was one when we came', (t) => {
  const { model, become } = call(t, undefined)
  become({ me: ME, emergency: true })
  t.deepEqual(model.store.get().notices, [])
  become({ emergency: false })
  become({ emergency: true })
  t.deepEqual(
    model.store.get().notices.map(({ text, urgent }) => [text, urgent]),
    [
      ['say.emergencyOver', false],
      ['say.emergency', true],
    ],
  )
})

test.serial('the end of an island is news, its beginning has a banner', (t) => {
  const { model, become } = call(t, undefined)
  const figures = { sinceMs: 0, rateBps: 0, lossRatio: 0, rttMs: 0, node: 'a', upstream: 'b' }
  become({ me: ME, upstream: { ...figures, state: 'connected', mark: 'green' } })
  become({ upstream: { ...figures, state: 'island', mark: 'red' } })
  t.deepEqual(model.store.get().notices, [])
  become({ upstream: { ...figures, state: 'connected', mark: 'green' } })
  t.is(model.store.get().notices[0]?.text, 'relay.back')
})
