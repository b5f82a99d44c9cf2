/** The room's chat: history upwards, newest at the bottom, what is written stays until it was sent. */
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { ChatEntry } from '../../sdk/index.ts'
import { CHAT_ENTRIES_MAX } from '../../sdk/index.ts'
import type { CallModel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import type { Language } from '../i18n/index.ts'
import { useStore } from '../store.ts'
import { Icon } from './icons.tsx'

const TEXT_LENGTH_MAX = 2_000

export function ChatPanel({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const role = useStore(model.store, (state) => state.conference.me?.role)
  return (
    <>
      <Log model={model} />
      {role === 'observer' ? (
        <p class="hint chat-form">{t('chat.readOnly')}</p>
      ) : (
        <ChatForm model={model} />
      )}
    </>
  )
}

function Log({ model }: { model: CallModel }) {
  const { t, language } = useSpeech()
  const chat = useStore(model.store, (state) => state.conference.chat)
  const hasMore = useStore(model.store, (state) => state.conference.chatHasMore)
  const self = useStore(model.store, (state) => state.conference.me?.participant)
  const list = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  const [loading, setLoading] = useState(false)
  // Opened on unread messages: the mark stays where they began.
  const [firstUnread] = useState(() => model.store.get().chatSeen)
  useLayoutEffect(() => {
    const element = list.current
    if (element !== null && atEnd.current) element.scrollTop = element.scrollHeight
  }, [chat])
  useEffect(() => model.markChatSeen(), [model, chat])
  const loadOlder = async (): Promise<void> => {
    setLoading(true)
    await model.attempt(() => model.conference.loadOlderChat())
    setLoading(false)
  }
  return (
    <div
      ref={list}
      class="panel-scroll chat-log"
      role="log"
      aria-live="off"
      aria-label={t('chat.log')}
      data-testid="chat-log"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled log must be reachable by keyboard.
      tabIndex={0}
      onScroll={(event) => {
        const { scrollTop, clientHeight, scrollHeight } = event.currentTarget
        atEnd.current = scrollTop + clientHeight > scrollHeight - 40
      }}
    >
      {hasMore && chat.length < CHAT_ENTRIES_MAX ? (
        <button
          type="button"
          class="button small centered"
          data-testid="chat-older"
          disabled={loading}
          onClick={() => void loadOlder()}
        >
          {t(loading ? 'people.loading' : 'chat.older')}
        </button>
      ) : null}
      {chat.length === 0 ? <p class="hint">{t('chat.empty')}</p> : null}
      {chat.map((entry, index) => (
        <Message
          key={entry.number}
          entry={entry}
          language={language}
          own={entry.participant === self}
          unreadHere={
            entry.participant !== self &&
            entry.number > firstUnread &&
            (chat[index - 1]?.number ?? -1) <= firstUnread &&
            index > 0
          }
        />
      ))}
    </div>
  )
}

type MessageProps = { entry: ChatEntry; language: Language; own: boolean; unreadHere: boolean }

function Message({ entry, language, own, unreadHere }: MessageProps) {
  const { t } = useSpeech()
  const time = new Date(entry.time)
  return (
    <>
      {unreadHere ? <p class="unread-line">{t('chat.unread')}</p> : null}
      <article class={`message ${own ? 'own' : ''}`} data-testid="chat-message">
        <header>
          <strong>{own ? t('call.you') : entry.name}</strong>
          {own || entry.site === entry.name ? null : <span class="message-site">{entry.site}</span>}
          <time dateTime={time.toISOString()}>
            {time.toLocaleTimeString(language, { hour: '2-digit', minute: '2-digit' })}
          </time>
        </header>
        <p>{entry.text}</p>
      </article>
    </>
  )
}

function ChatForm({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const [text, setText] = useState('')
  const [failed, setFailed] = useState(false)
  const [sending, setSending] = useState(false)
  const id = useId()
  const send = async (): Promise<void> => {
    const written = text.trim()
    if (written === '' || sending) return
    setSending(true)
    const sent = await model.attempt(() => model.conference.sendChat(written))
    setSending(false)
    setFailed(!sent)
    if (sent) setText('')
  }
  return (
    <form
      class="chat-form"
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      <p class="problem" role="alert">
        {failed ? t('chat.failed') : ''}
      </p>
      <label class="only-heard" for={id}>
        {t('chat.write')}
      </label>
      <div class="chat-line">
        <textarea
          id={id}
          rows={2}
          maxLength={TEXT_LENGTH_MAX}
          placeholder={t('chat.write')}
          data-testid="chat-input"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            // Enter while Vietnamese is being composed ends the word, not the message.
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
            event.preventDefault()
            void send()
          }}
        />
        <button
          type="submit"
          class="button primary send"
          data-testid="chat-send"
          aria-label={t('chat.send')}
          disabled={sending || text.trim() === ''}
        >
          <Icon name="send" />
        </button>
      </div>
    </form>
  )
}
