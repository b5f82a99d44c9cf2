/**
 * The life of a participant as the doors see it, as one table. What happens in a transition is
 * hub.ts' business; whether it may happen is said here.
 */

/** `lost`: the socket is gone, the conference waits for a resume; media may go on. */
export type SeatState = 'joined' | 'negotiated' | 'lost' | 'gone'

export type SeatEvent = 'negotiate' | 'media-lost' | 'socket-lost' | 'resume' | 'end'

const TRANSITIONS: Readonly<Record<SeatState, Partial<Record<SeatEvent, SeatState>>>> = {
  joined: { negotiate: 'negotiated', 'media-lost': 'joined', 'socket-lost': 'lost', end: 'gone' },
  negotiated: {
    negotiate: 'negotiated',
    'media-lost': 'joined',
    'socket-lost': 'lost',
    end: 'gone',
  },
  // A resume with living media goes on to `negotiated`: Seat.step.
  lost: { 'media-lost': 'lost', resume: 'joined', end: 'gone' },
  gone: {},
}

/** The state after an event, undefined when it may not happen in this state. */
export function nextSeatState(state: SeatState, event: SeatEvent): SeatState | undefined {
  return TRANSITIONS[state][event]
}

/** What a socket may still say. */
export type ConnectionState = 'waiting-join' | 'joining' | 'joined' | 'closed'

/** True for messages that are answered in this state; others get `bad-state`. */
export function mayAsk(state: ConnectionState, messageType: string): boolean {
  switch (state) {
    case 'waiting-join':
      return messageType === 'join' || messageType === 'ping'
    case 'joining':
      return messageType === 'ping'
    case 'joined':
      return messageType !== 'join'
    case 'closed':
      return false
  }
}
