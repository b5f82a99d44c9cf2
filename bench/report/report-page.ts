/** The page of a run: one self-contained HTML file. */
import type { RunReport } from './report.ts'

/** The whole page as HTML; every text of the report is escaped. */
export function reportPage(report: RunReport): string {
  const data = JSON.stringify(report).replaceAll('<', '\\u003c')
  return `<!doctype html>
<meta charset="utf-8">
<title>Nhịp Cầu</title>
<script type="application/json" id="report">${data}</script>
<pre id="verdict"></pre>
<script>
const report = JSON.parse(document.getElementById('report').textContent)
document.getElementById('verdict').textContent = report.criteria
  .map(({ verdict, text }) => verdict + '  ' + text).join('\\n')
</script>
`
}
