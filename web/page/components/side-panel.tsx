/** The frame of a side panel: beside the stage on a desk, over it on a phone. Takes the focus, and gives it back. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Panel } from '../call-model.ts'
import { useSpeech } from '../context.ts'
import { Icon } from './icons.tsx'

type SidePanelProps = {
  panel: Exclude<Panel, 'none'>
  onClose: () => void
  children: ComponentChildren
}

export function SidePanel({ panel, onClose, children }: SidePanelProps) {
  const { t } = useSpeech()
  const title = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    const before = document.activeElement
    title.current?.focus({ preventScroll: true })
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [panel])
  return (
    <aside class="panel" data-testid={`panel-${panel}`} aria-labelledby="panel-title">
      <header class="panel-header">
        <h2 id="panel-title" ref={title} tabIndex={-1}>
          {t(`panel.${panel}`)}
        </h2>
        <button
          type="button"
          class="icon-button"
          data-testid="panel-close"
          aria-label={t('panel.close')}
          onClick={onClose}
        >
          <Icon name="close" />
        </button>
      </header>
      {children}
    </aside>
  )
}
