/** What is sent to a child of this node, stream by stream, and why each stands where it does. */
import type { StreamStatus } from '../../../relay/status/trunk-status.ts'
import { useOperatorSpeech } from './speech.ts'
import { streamText } from './trouble-text.ts'

export function StreamTable({ streams }: { streams: readonly StreamStatus[] }) {
  const speech = useOperatorSpeech()
  const { t, rate, count } = speech
  return (
    <details class="op-streams" data-testid="streams">
      <summary>{t('detail.streams', { count: count(streams.length) })}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('stream.room')}</th>
            <th scope="col">{t('stream.what')}</th>
            <th scope="col">{t('stream.level')}</th>
            <th scope="col" class="op-number">
              {t('stream.rate')}
            </th>
            <th scope="col">{t('stream.why')}</th>
          </tr>
        </thead>
        <tbody>
          {streams.map((stream) => {
            const { level, why } = streamText(stream, speech)
            return (
              <tr key={stream.streamId}>
                <td>{stream.room}</td>
                <td>
                  {t(`stream.${stream.use}`)} <small>{stream.participant}</small>
                </td>
                <td>{level}</td>
                <td class="op-number">{rate(stream.bitrateBps)}</td>
                <td>{why}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </details>
  )
}
