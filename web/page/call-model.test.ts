import test, { type ExecutionContext } from 'ava'
import type { Conference, ConferenceState, SourceUse } from '../sdk/index.ts'
import { initialState } from '../sdk/state.ts'
import { CallModel } from './call-model.ts'

type Call = {
  model: CallModel
  asked: string[]
  opened: string[]
  self: (permitted: SourceUse[]) => void
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
  const self = (permitted: SourceUse[]): void => {
    state = { ...state, self: { onStage: permitted.length > 0, permitted, muted: {} } }
    change(state)
  }
  return { model, asked, opened, self }
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
