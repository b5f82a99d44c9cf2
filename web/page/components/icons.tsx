/** The page's own pictograms: 24 × 24, drawn with strokes, silent for screen readers. */
const PATHS = {
  microphone:
    'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3ZM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21M8.5 21h7',
  microphoneOff:
    'M9 9v2a3 3 0 0 0 4.6 2.5M15 11V6a3 3 0 0 0-5.7-1.3M5.5 11a6.5 6.5 0 0 0 10.6 5M18.3 13c.1-.6.2-1.3.2-2M12 17.5V21M8.5 21h7M4 3l16 18',
  camera:
    'M3.5 7h10a1.5 1.5 0 0 1 1.5 1.5v7a1.5 1.5 0 0 1-1.5 1.5h-10A1.5 1.5 0 0 1 2 15.5v-7A1.5 1.5 0 0 1 3.5 7ZM15 11l6-3.5v9L15 13',
  cameraOff:
    'M8 7h5.5A1.5 1.5 0 0 1 15 8.5V14M14 17H3.5A1.5 1.5 0 0 1 2 15.5v-7C2 7.7 2.7 7 3.5 7H4M15 11l6-3.5v9l-3-1.8M3 3l18 18',
  screen: 'M3 5h18v11H3ZM8.5 20h7M12 16v4M12 13V8.5M9.5 10.5 12 8l2.5 2.5',
  hand: 'M8 12V6a1.5 1.5 0 0 1 3 0v4.5V4.5a1.5 1.5 0 0 1 3 0v6V6a1.5 1.5 0 0 1 3 0v8.5c0 3.6-2.4 6.5-6 6.5-2.6 0-4.2-1.3-5.3-3.3L3.5 13.5c-.5-1 .9-2.2 1.9-1.3L8 14.5',
  chat: 'M4 5h16v11h-8l-4.5 4v-4H4ZM8 9h8M8 12h5',
  people:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c.3-3.8 2.9-6 6.5-6s6.2 2.2 6.5 6M16 4.5a3.2 3.2 0 0 1 0 6.2M17.5 14.3c2.3.7 3.8 2.6 4 5.7',
  statistics: 'M4 20V4M4 20h16M8 16l3.5-5 3 3L20 7',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5',
  help: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM9.5 9.5a2.5 2.5 0 1 1 3.7 2.2c-.8.5-1.2 1-1.2 2M12 16.8v.2',
  leave:
    'M3 14.5c0-6 18-6 18 0 0 1.8-4.5 2-5 .2l-.3-1.9a13 13 0 0 0-7.4 0L8 14.7c-.5 1.8-5 1.6-5-.2Z',
  close: 'M6 6l12 12M18 6 6 18',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  lock: 'M6 11h12v9H6ZM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  unlock: 'M6 11h12v9H6ZM8.5 11V8a3.5 3.5 0 0 1 6.6-1.6',
  pin: 'M9 4h6l-.8 6 2.8 3H7l2.8-3ZM12 13v7',
  send: 'M4 12 20 5l-4.5 15-3.5-6.5ZM12 13.5 20 5',
  listen:
    'M4 14v-2a8 8 0 0 1 16 0v2M4 14h3v6H5.5A1.5 1.5 0 0 1 4 18.5ZM20 14h-3v6h1.5a1.5 1.5 0 0 0 1.5-1.5Z',
  fullscreen: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  globe: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3 12h18M12 3c5 5 5 13 0 18M12 3c-5 5-5 13 0 18',
  relay:
    'M12 20v-8M12 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM8 20h8M7.8 14a5.6 5.6 0 0 1 0-8M16.2 14a5.6 5.6 0 0 0 0-8M5 16.5a9.4 9.4 0 0 1 0-13M19 16.5a9.4 9.4 0 0 0 0-13',
  cut: 'M9 17H7A5 5 0 0 1 7 7h1M15 7h2a5 5 0 0 1 3.6 8.5M8 12h4M3 3l18 18',
  poll: 'M4 20h16M6 20v-7M12 20V5M18 20v-10',
  emergency: 'M12 3.5 21.5 20h-19ZM12 10v4.5M12 17.2v.1',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
