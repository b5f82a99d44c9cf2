import test from 'ava'
import { createRoomState } from './room-state.ts'
import { stateText } from './state-text.ts'

test('maps are told by key, sets in their order', (t) => {
  const one = createRoomState('r')
  const other = createRoomState('r')
  for (const site of ['a', 'b']) one.sites.set(site, 1)
  for (const site of ['b', 'a']) other.sites.set(site, 1)
  t.is(stateText(one), stateText(other))
  one.hands.add('x').add('y')
  other.hands.add('y').add('x')
  t.not(stateText(one), stateText(other))
})
