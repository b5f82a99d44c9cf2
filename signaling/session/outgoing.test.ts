import test from 'ava'
import { CODECS, type Codec } from '../protocol/index.ts'
import { Outgoing } from './outgoing.ts'
import { KeyedBuckets } from './rate-limit.ts'
import { type ConnectionState, mayAsk, nextSeatState, type SeatState } from './states.ts'

test('a broadcast is encoded once per subprotocol, however many sockets it goes to', (t) => {
  let encodings = 0
  const counting = (codec: Codec): Codec => ({
    ...codec,
    encode: (message) => {
      encodings++
      return codec.encode(message)
    },
  })
  const codecs = CODECS.map(counting)
  const outgoing = new Outgoing({ type: 'pong' })
  for (let i = 0; i < 1_000; i++) outgoing.frame(codecs[i % codecs.length] as Codec)
  t.is(encodings, codecs.length)
})

test('a bucket gives its burst, then its rate, and no debt is carried', (t) => {
  const buckets = new KeyedBuckets({ perS: 2, burst: 3 })
  const taken = (nowMs: number): number => {
    let count = 0
    while (buckets.take('a', nowMs)) count++
    return count
  }
  t.is(taken(0), 3)
  t.is(taken(499), 0)
  t.is(taken(1_000), 2)
  t.is(taken(60_000), 3)
  t.is(taken(50_000), 0, 'a clock that steps back gives nothing')
  t.true(buckets.take('b', 0), 'another key is not concerned')
})

test('remembered rates are bounded', (t) => {
  const buckets = new KeyedBuckets({ perS: 1, burst: 1 })
  for (let i = 0; i < 20_000; i++) buckets.take(String(i), 0)
  t.is(buckets.size, 16_384)
})

test('nothing happens to a participant who is gone, and only a lost one resumes', (t) => {
  const states: SeatState[] = ['joined', 'negotiated', 'lost', 'gone']
  for (const event of ['negotiate', 'media-lost', 'socket-lost', 'resume', 'end'] as const) {
    t.is(nextSeatState('gone', event), undefined)
  }
  t.deepEqual(
    states.filter((state) => nextSeatState(state, 'resume') !== undefined),
    ['lost'],
  )
  t.is(nextSeatState('lost', 'negotiate'), undefined)
})

test('only a joined connection may ask for more than ping and join', (t) => {
  const states: ConnectionState[] = ['waiting-join', 'joining', 'joined', 'closed']
  const may = (type: string): ConnectionState[] => states.filter((state) => mayAsk(state, type))
  t.deepEqual(may('join'), ['waiting-join'])
  t.deepEqual(may('ping'), ['waiting-join', 'joining', 'joined'])
  t.deepEqual(may('offer'), ['joined'])
})
