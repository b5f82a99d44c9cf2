/** The shortcuts, printed from the table that the keyboard uses. */
import { useSpeech } from '../context.ts'
import { SHORTCUTS } from '../shortcuts.ts'

export function HelpPanel() {
  const { t } = useSpeech()
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="panel-scroll" aria-label={t('control.help')} tabIndex={0}>
      <p>{t('help.text')}</p>
      <table class="shortcuts">
        <thead>
          <tr>
            <th scope="col">{t('help.key')}</th>
            <th scope="col">{t('help.action')}</th>
          </tr>
        </thead>
        <tbody>
          {SHORTCUTS.map(({ key, text }) => (
            <tr key={key}>
              <td>
                <kbd>{key}</kbd>
              </td>
              <td>{t(text)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>{t('help.main')}</p>
    </section>
  )
}
