/**
 * Two sides of runs against each other, figure by figure, and what of the difference may be noise.
 * Pure; compare-text.ts and the page put it into words. No test of significance: with two or three
 * runs a side there is none worth its name, so ranges are compared.
 */
import type { ComparedFigure, Comparison } from './page-model.ts'
import type { RunReport } from './report.ts'

/** Runs of each side, in the order in which they were given. */
export type Sides = { a: RunReport[]; b: RunReport[] }

/** Below this share two values are the same for any purpose. */
const SAME_RATIO = 0.001
/** Differences of `othersCores` that alone may explain anything. */
const OTHERS_CORES_APART = 0.2

/** Figures of both sides, what is noise, and what to beware of. */
export function compareRuns({ a, b }: Sides): Comparison {
  const names = [...new Set([...a, ...b].flatMap(({ figures }) => Object.keys(figures)))]
  const rows = names.flatMap((name) => compared(name, { a, b }))
  return {
    labels: ['A', 'B'],
    rows: rows.sort((x, y) => rankOf(x) - rankOf(y)),
    noise: noiseOf({ a, b }, rows),
    warnings: warningsOf({ a, b }),
  }
}

/** What differs comes first; in it, and in the rest, the order of the report stays. */
function rankOf({ verdict }: ComparedFigure): number {
  return verdict === 'differs' ? 0 : 1
}

function compared(name: string, { a, b }: Sides): ComparedFigure[] {
  const valuesOf = (runs: RunReport[]): number[] =>
    runs.map(({ figures }) => figures[name] ?? Number.NaN).filter((value) => Number.isFinite(value))
  const [ofA, ofB] = [valuesOf(a), valuesOf(b)]
  if (ofA.length === 0 && ofB.length === 0) return []
  const [meanA, meanB] = [mean(ofA), mean(ofB)]
  const [spreadA, spreadB] = [spread(ofA), spread(ofB)]
  const ratio = Number.isFinite(meanB / meanA) ? meanB / meanA : null
  const row = { name, a: meanA, b: meanB, ratio, spreadA, spreadB }
  return [{ ...row, verdict: verdictOf(ofA, ofB) }]
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function spread(values: readonly number[]): number | null {
  return values.length < 2 ? null : Math.max(...values) - Math.min(...values)
}

/**
 * `differs`: the means are further apart than the runs of either side among themselves, and the
 * ranges do not touch. One run each tells nothing.
 */
function verdictOf(a: readonly number[], b: readonly number[]): ComparedFigure['verdict'] {
  if (a.length === 0 || b.length === 0) return 'unknown'
  const apart = Math.abs(mean(a) - mean(b))
  const size = Math.max(...[...a, ...b].map(Math.abs))
  if (apart <= size * SAME_RATIO) return 'same'
  const [spreadA, spreadB] = [spread(a), spread(b)]
  if (spreadA === null || spreadB === null) return 'unknown'
  const touch = Math.min(...a) <= Math.max(...b) && Math.min(...b) <= Math.max(...a)
  return !touch && apart > Math.max(spreadA, spreadB) ? 'differs' : 'noise'
}

/**
 * How often, of a hundred figures without any difference, ranges of n runs each lie apart by
 * chance: 2 of all orders.
 */
export function apartByChance(runsA: number, runsB: number): number {
  let orders = 1
  for (let k = 1; k <= runsA; k += 1) orders = (orders * (runsB + k)) / k
  return Math.min(100, Math.round(200 / orders))
}

function noiseOf({ a, b }: Sides, rows: readonly ComparedFigure[]): Comparison['noise'] {
  const cores = (runs: RunReport[]): string =>
    runs.map(({ machine }) => machine.othersCores.toFixed(2)).join(', ')
  if (a.length < 2 || b.length < 2) {
    const others = `A ${cores(a)}, B ${cores(b)}`
    return {
      en: `One run of a side cannot tell a difference from noise: run A B A B. The one thing that says how quiet it was: cores taken by other programs: ${others}.`,
      vi: `Một lần chạy mỗi bên không thể phân biệt khác biệt với ngẫu nhiên: hãy chạy A B A B. Điều duy nhất cho biết máy có yên tĩnh không: số lõi mà chương trình khác chiếm: ${others}.`,
    }
  }
  const count = (verdict: string): number => rows.filter((row) => row.verdict === verdict).length
  const chance = apartByChance(a.length, b.length)
  const [differ, noise] = [count('differs'), count('noise')]
  return {
    en: `${a.length} runs of A, ${b.length} of B: ${differ} figures lie further apart than the runs of one side among themselves, ${noise} do not and are noise. Ranges of so many runs lie apart by pure chance for about ${chance} of 100 figures, so few differences among many figures may be chance as well.`,
    vi: `${a.length} lần chạy A, ${b.length} lần chạy B: ${differ} số liệu cách nhau xa hơn mức dao động trong cùng một bên, ${noise} số liệu thì không, tức là ngẫu nhiên. Với số lần chạy này, khoảng ${chance} trên 100 số liệu tách nhau chỉ do tình cờ, nên vài khác biệt lẻ tẻ cũng có thể là tình cờ.`,
  }
}

function warningsOf(sides: Sides): Comparison['warnings'] {
  const all = [...sides.a, ...sides.b]
  const warnings: Comparison['warnings'] = []
  const compare = (en: string, vi: string, of: (run: RunReport) => string): void => {
    const seen = [...new Set(all.map(of))]
    if (seen.length < 2) return
    const told = seen.map((value) => value.slice(0, 80)).join(' | ')
    warnings.push({ en: `${en}: ${told}`, vi: `${vi}: ${told}` })
  }
  compare('Scenarios differ', 'Kịch bản khác nhau', ({ scenario }) => scenario.name)
  if (new Set(all.map(({ scenario }) => scenario.name)).size === 1) warnOfTexts(all, warnings)
  compare('Seeds differ', 'Hạt giống khác nhau', ({ scenario }) => String(scenario.seed))
  compare(
    'Machines differ',
    'Máy khác nhau',
    ({ machine }) => `${machine.name}, ${machine.cpuModel}, ${machine.cores} cores`,
  )
  compare('Versions of Node differ', 'Phiên bản Node khác nhau', ({ machine }) => machine.node)
  warnOfOthers(all, warnings)
  for (const [label, runs] of Object.entries(sides)) warnOfSide(label.toUpperCase(), runs, warnings)
  return warnings
}

function warnOfTexts(all: readonly RunReport[], warnings: Comparison['warnings']): void {
  if (new Set(all.map(({ scenario }) => scenario.yaml)).size < 2) return
  warnings.push({
    en: 'The files of the scenario differ though its name is the same.',
    vi: 'Nội dung kịch bản khác nhau dù cùng tên.',
  })
}

function warnOfOthers(all: readonly RunReport[], warnings: Comparison['warnings']): void {
  const cores = all.map(({ machine }) => machine.othersCores)
  if (Math.max(...cores) - Math.min(...cores) <= OTHERS_CORES_APART) return
  const range = `${Math.min(...cores).toFixed(2)}..${Math.max(...cores).toFixed(2)}`
  warnings.push({
    en: `Other programs took ${range} cores: the runs were not disturbed alike.`,
    vi: `Chương trình khác chiếm ${range} lõi: các lần chạy bị quấy nhiễu không như nhau.`,
  })
}

function warnOfSide(label: string, runs: readonly RunReport[], warnings: Comparison['warnings']) {
  const commits = new Set(runs.map(({ commit }) => commit.hash))
  if (commits.size > 1)
    warnings.push({
      en: `${label} mixes ${commits.size} commits: give runs in turns, A B A B.`,
      vi: `Bên ${label} lẫn ${commits.size} phiên bản mã: hãy đưa các lần chạy xen kẽ A B A B.`,
    })
  if (runs.some(({ commit }) => commit.dirty))
    warnings.push({
      en: `${label} ran a source tree with changes that no commit has.`,
      vi: `Bên ${label} chạy mã có thay đổi chưa ghi nhận.`,
    })
  const odd = runs.filter(({ ended, validity }) => ended !== 'completed' || !validity.valid)
  if (odd.length > 0)
    warnings.push({
      en: `${odd.length} of ${runs.length} runs of ${label} are void or did not come to their end.`,
      vi: `${odd.length} trong ${runs.length} lần chạy của ${label} vô hiệu hoặc chưa chạy hết.`,
    })
}
