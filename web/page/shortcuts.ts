/** Keyboard shortcuts of the call: one table, which the help panel prints. Pure. */
import type { TextKey } from './i18n/index.ts'

export type Shortcut =
  | 'microphone'
  | 'camera'
  | 'screen'
  | 'hand'
  | 'chat'
  | 'people'
  | 'polls'
  | 'statistics'
  | 'follow'
  | 'help'
  | 'escape'

export const SHORTCUTS: readonly { key: string; shortcut: Shortcut; text: TextKey }[] = [
  { key: 'M', shortcut: 'microphone', text: 'control.microphone' },
  { key: 'V', shortcut: 'camera', text: 'control.camera' },
  { key: 'S', shortcut: 'screen', text: 'control.screenOn' },
  { key: 'H', shortcut: 'hand', text: 'control.hand' },
  { key: 'C', shortcut: 'chat', text: 'control.chat' },
  { key: 'P', shortcut: 'people', text: 'control.people' },
  { key: 'B', shortcut: 'polls', text: 'panel.polls' },
  { key: 'Q', shortcut: 'statistics', text: 'control.statistics' },
  { key: 'F', shortcut: 'follow', text: 'call.followRoom' },
  { key: '?', shortcut: 'help', text: 'control.help' },
  { key: 'Esc', shortcut: 'escape', text: 'help.escape' },
]

type KeyPress = {
  key: string
  ctrlKey: boolean
  altKey: boolean
  metaKey: boolean
  repeat: boolean
  /** In a field the letters are text. */
  inField: boolean
}

const BY_KEY = new Map(SHORTCUTS.map(({ key, shortcut }) => [key.toLowerCase(), shortcut]))

export const shortcutOf = (press: KeyPress): Shortcut | undefined => {
  if (press.key === 'Escape') return 'escape'
  if (press.inField || press.ctrlKey || press.altKey || press.metaKey || press.repeat) return
  return BY_KEY.get(press.key.toLowerCase())
}

/** Whether the element takes text, so that letters typed there are not shortcuts. */
export const takesText = (element: EventTarget | null): boolean =>
  element instanceof HTMLElement &&
  (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName))
