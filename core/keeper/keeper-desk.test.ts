import test from 'ava'
import { KEPT_LINGER_MS } from '../../config/limits.ts'
import { KeeperDesk } from './keeper-desk.ts'

const VOICE = 1
const CAMERA = 2
const SCREEN = 3
const OTHER = 4

function start() {
  const told: string[] = []
  const desk = new KeeperDesk({
    nameOf: (_room, participant) => participant.toUpperCase(),
    keep: ({ publicationId, track, shown }) =>
      told.push(`keep ${publicationId} ${track.name}${shown ? ' shown' : ''}`),
    drop: (publicationId) => told.push(`drop ${publicationId}`),
    letCross: (publicationId, on) => told.push(`${on ? 'cross' : 'uncross'} ${publicationId}`),
  })
  const room = 'giao-ban'
  desk.onTrack(VOICE, { room, participant: 'mai', use: 'microphone' }, 0)
  desk.onTrack(CAMERA, { room, participant: 'mai', use: 'camera' }, 0)
  desk.onTrack(OTHER, { room, participant: 'an', use: 'camera' }, 0)
  const show = (participant: string, nowMs: number): void =>
    desk.onShown({ room, heard: ['mai', ''], main: { participant, use: 'camera' } }, nowMs)
  return { desk, room, show, take: () => told.splice(0) }
}

test('what the room hears and sees is kept, and nothing else', (t) => {
  const { show, take } = start()
  t.deepEqual(take(), [])
  show('mai', 0)
  t.deepEqual(take(), ['keep 1 MAI shown', 'cross 1', 'keep 2 MAI shown', 'cross 2'])
})

test('the screen of the main picture is kept beside it, whenever it comes', (t) => {
  const { desk, room, show, take } = start()
  show('mai', 0)
  take()
  desk.onTrack(SCREEN, { room, participant: 'mai', use: 'screen' }, 10)
  t.deepEqual(take(), ['keep 3 MAI', 'cross 3'])
})

test('what leaves the stage is kept a while longer, and goes on when it comes back', (t) => {
  const { desk, show, take } = start()
  show('mai', 0)
  take()
  show('an', 1_000)
  t.deepEqual(take(), ['keep 4 AN shown', 'cross 4', 'keep 2 MAI'])
  desk.tick(1_000 + KEPT_LINGER_MS - 1)
  t.deepEqual(take(), [])
  show('mai', 1_000 + KEPT_LINGER_MS - 1)
  t.deepEqual(take(), ['keep 2 MAI shown', 'keep 4 AN'])
  desk.tick(1_000 + 2 * KEPT_LINGER_MS)
  t.deepEqual(take(), ['uncross 4', 'drop 4'])
})

test('a track that ends is let go at once', (t) => {
  const { desk, show, take } = start()
  show('mai', 0)
  take()
  desk.onTrackGone(CAMERA)
  t.deepEqual(take(), ['uncross 2', 'drop 2'])
  t.is(desk.keptCount, 1)
})
