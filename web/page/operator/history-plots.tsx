/** The plots of one link, each with the same in words. */
import { useEffect, useRef } from 'preact/hooks'
import type { LinkHistory, LinkStatus } from '../../../relay/status/trunk-status.ts'
import { CLASS_ORDER } from './codes.ts'
import type { Plot, PlotKind } from './plots.ts'
import { useOperatorSpeech } from './speech.ts'

export function HistoryPlots({
  history,
  link,
}: {
  history: LinkHistory | undefined
  link: LinkStatus
}) {
  const { t, rate, percent, ms } = useOperatorSpeech()
  const heardOnce = history?.rttMs.some((value) => value !== null) ?? false
  if (history === undefined || !heardOnce) return <p class="hint">{t('detail.noHistory')}</p>
  const { down, up, rttMs } = link
  const lossTitle = t('detail.lossPlot')
  const rttTitle = t('detail.rttPlot')
  const loss = percent(Math.max(down.lossRatio, up.lossRatio))
  return (
    <section class="op-plots">
      <h3>{t('detail.shares')}</h3>
      <div class="op-plot-pair">
        {(['down', 'up'] as const).map((way) => {
          const title = t(`detail.${way}`)
          const words = t('plot.summary', {
            title,
            used: rate(link[way].usedBps),
            estimate: rate(link[way].estimateBps),
          })
          return (
            <PlotFigure
              key={way}
              title={title}
              words={words}
              history={history}
              value={rate}
              kind={way}
            />
          )
        })}
      </div>
      <ul class="op-legend">
        {CLASS_ORDER.map((name, index) => (
          <li key={name}>
            <span class={`op-swatch class-${index}`} aria-hidden="true" />
            {t(`class.${name}`)}
            <span class="op-legend-value">
              {rate(down.shares[index] ?? 0)} ↓ {rate(up.shares[index] ?? 0)} ↑
            </span>
          </li>
        ))}
        <li>
          <span class="op-swatch estimate" aria-hidden="true" />
          {t('detail.estimateLine')}
        </li>
      </ul>
      <div class="op-plot-pair">
        <PlotFigure
          title={`${lossTitle} (${t('detail.lossLegend')})`}
          words={t('plot.last', { title: lossTitle, value: loss })}
          history={history}
          value={percent}
          kind="loss"
        />
        <PlotFigure
          title={rttTitle}
          words={t('plot.last', { title: rttTitle, value: ms(rttMs) })}
          history={history}
          value={ms}
          kind="rtt"
        />
      </div>
    </section>
  )
}

type FigureProps = {
  title: string
  words: string
  history: LinkHistory
  value: (value: number) => string
  kind: PlotKind
}

/** The drawing lives as long as its frame; it is made anew when the language changes. */
function PlotFigure({ title, words, history, value, kind }: FigureProps) {
  const { clock, language } = useOperatorSpeech()
  const frame = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot | undefined>(undefined)
  const latest = useRef({ history, value })
  latest.current = { history, value }
  useEffect(() => {
    let isOver = false
    void import('./plots.ts').then(({ createPlot }) => {
      const element = frame.current
      if (isOver || element === null) return
      const options = { frame: element, clock, value: latest.current.value }
      plot.current = createPlot(options, kind)
      plot.current.draw(latest.current.history)
    })
    return () => {
      isOver = true
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [language])
  useEffect(() => plot.current?.draw(history), [history])
  return (
    <figure class="op-plot">
      <figcaption>{title}</figcaption>
      <div ref={frame} class="op-plot-frame" role="img" aria-label={words} />
    </figure>
  )
}
