/** The link in figures: one stream at a time, four curves over the last five minutes, and a sentence. */
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { StreamStatistics } from '../../sdk/index.ts'
import type { CallModel } from '../call-model.ts'
import type { Chart } from '../charts.ts'
import { useSpeech } from '../context.ts'
import type { Sample } from '../history.ts'
import type { TextKey, Translate } from '../i18n/index.ts'
import { qualityReasonText } from '../quality-text.ts'
import { useStore } from '../store.ts'
import { LinkAbove } from './link-above.tsx'
import { MarkSign } from './quality-mark.tsx'

export function StatisticsPanel({ model }: { model: CallModel }) {
  const { t } = useSpeech()
  const history = useStore(model.store, (state) => state.history)
  const quality = useStore(model.store, (state) => state.conference.quality)
  const [chosen, setChosen] = useState('')
  const field = useId()
  const mids = [...history.keys()]
  const mid = history.has(chosen) ? chosen : mids[0]
  const statistics = model.conference.statistics.find((stream) => stream.mid === mid)
  const streamQuality = quality.find((stream) => stream.mid === mid)
  if (mid === undefined)
    return (
      <div class="panel-scroll">
        <LinkAbove model={model} />
        <p class="hint">{t('stats.none')}</p>
      </div>
    )
  return (
    <div class="panel-scroll statistics" data-testid="statistics">
      <LinkAbove model={model} />
      <label class="field" for={field}>
        <span>{t('stats.stream')}</span>
        <select
          id={field}
          data-testid="statistics-stream"
          value={mid}
          onChange={(event) => setChosen(event.currentTarget.value)}
        >
          {mids.map((candidate) => (
            <option key={candidate} value={candidate}>
              {streamLabel(candidate, model, t)}
            </option>
          ))}
        </select>
      </label>
      {streamQuality === undefined ? null : (
        <p class="quality-line">
          <MarkSign mark={streamQuality.mark} />
          <span>
            <strong>{t(`quality.${streamQuality.mark}`)}.</strong>{' '}
            {qualityReasonText(streamQuality, t)}
          </span>
        </p>
      )}
      {statistics === undefined ? null : <Figures statistics={statistics} />}
      <Charts samples={history.get(mid) ?? []} video={statistics?.kind === 'video'} />
    </div>
  )
}

/** In words: which picture or voice a section of the connection carries now. */
const streamLabel = (mid: string, model: CallModel, t: Translate): string => {
  const slot = model.conference.slots.find((candidate) => candidate.mid === mid)
  if (slot === undefined) {
    const uses = ['microphone', 'camera', 'screen'] as const
    const use = uses.find((candidate) => model.conference.midOf(candidate) === mid)
    return t('stats.sent', { what: use === undefined ? mid : t(`use.${use}`) })
  }
  const occupant = model.store
    .get()
    .conference.slots.find((candidate) => candidate.mid === mid)?.participant
  const name = occupant === null || occupant === undefined ? '' : model.nameOf(occupant)
  const place = t(`use.${slot.use}`, { number: slot.index + 1 })
  return t('stats.received', { what: name === '' ? place : `${place}, ${name}` })
}

function Figures({ statistics }: { statistics: StreamStatistics }) {
  const { t } = useSpeech()
  const { layers } = statistics
  return (
    <div class="figures" data-testid="figures">
      <p>
        {t('stats.now', {
          bitrate: Math.round(statistics.bitrateBps / 1_000),
          loss: (statistics.lossRatio * 100).toFixed(1),
          rtt: Math.round(statistics.rttMs),
        })}
      </p>
      {statistics.kind === 'video' && statistics.widthPx > 0 ? (
        <p>
          {t('stats.picture', {
            width: statistics.widthPx,
            height: statistics.heightPx,
            fps: Math.round(statistics.framesPerSecond),
          })}
        </p>
      ) : null}
      {layers.length > 1 ? (
        <p>
          {t('stats.layers', {
            layers: layers
              .map((layer) => `${layer.rid} ${Math.round(layer.bitrateBps / 1_000)} kbit/s`)
              .join(', '),
          })}
        </p>
      ) : null}
    </div>
  )
}

const CHARTS: readonly { field: Exclude<keyof Sample, 'atSeconds'>; title: TextKey }[] = [
  { field: 'bitrateKbps', title: 'stats.bitrate' },
  { field: 'lossPercent', title: 'stats.loss' },
  { field: 'rttMs', title: 'stats.rtt' },
  { field: 'layer', title: 'stats.layer' },
]

function Charts({ samples, video }: { samples: readonly Sample[]; video: boolean }) {
  const shown = CHARTS.filter(({ field }) => video || field !== 'layer')
  return (
    <>
      {shown.map(({ field, title }) => (
        <Curve key={field} samples={samples} field={field} title={title} />
      ))}
    </>
  )
}

type CurveProps = { samples: readonly Sample[]; field: keyof Sample; title: TextKey }

function Curve({ samples, field, title }: CurveProps) {
  const { t, language } = useSpeech()
  const frame = useRef<HTMLDivElement>(null)
  const chart = useRef<Chart | undefined>(undefined)
  const data = useRef(samples)
  data.current = samples
  useEffect(() => {
    let gone = false
    // Loaded when it is first needed: most people never look at curves.
    void import('../charts.ts').then(({ createChart }) => {
      if (gone || frame.current === null) return
      chart.current = createChart({ frame: frame.current, field, language })
      chart.current.draw(data.current)
    })
    return () => {
      gone = true
      chart.current?.destroy()
      chart.current = undefined
    }
  }, [field, language])
  useEffect(() => chart.current?.draw(samples), [samples])
  const last = samples.at(-1)?.[field]
  return (
    <figure class="chart" data-testid={`chart-${field}`}>
      <figcaption>
        <span>{t(title)}</span>
        <strong>{last ?? '–'}</strong>
      </figcaption>
      <div ref={frame} class="chart-frame" aria-hidden="true" />
    </figure>
  )
}
