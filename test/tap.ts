/** Reads what `ava --tap` prints, line by line. Pure. Of TAP (testanything.org) only what AVA writes. */

export type TapEvents = {
  onPassed: (title: string) => void
  onSkipped: (title: string) => void
  /** `said`: the lines below the verdict, with what the test logged and the YAML of its error. */
  onFailed: (title: string, said: string[]) => void
  /** A line that belongs to no failed test and is not bookkeeping. */
  onRemark: (line: string) => void
}

/** `read` each line, then `end`. */
export class TapReader {
  readonly #events: TapEvents
  #failed: { title: string; said: string[]; inYaml: boolean } | undefined

  constructor(events: TapEvents) {
    this.#events = events
  }

  read(line: string): void {
    if (this.#failed !== undefined && this.#belongs(line)) return
    this.end()
    const verdict = /^(not )?ok \d+ - (.*)$/.exec(line)
    if (verdict === null) {
      const isBookkeeping = /^(TAP version|1\.\.|# (tests|pass|fail|skip)|\s*$)/.test(line)
      if (!isBookkeeping) this.#events.onRemark(line)
      return
    }
    const [, not, title = ''] = verdict
    if (/# (SKIP|TODO)/i.test(title)) this.#events.onSkipped(title)
    else if (not === undefined) this.#events.onPassed(title)
    else this.#failed = { title, said: [], inYaml: false }
  }

  end(): void {
    const failed = this.#failed
    this.#failed = undefined
    if (failed !== undefined) this.#events.onFailed(failed.title, failed.said)
  }

  /** Whether the line still is of the failed test; the one that ends its YAML ends it. */
  #belongs(line: string): boolean {
    const { inYaml, said } = this.#failed!
    if (!inYaml && !/^(#? {2}|#$)/.test(line)) return false
    said.push(line)
    this.#failed!.inYaml = inYaml || line === '  ---'
    if (line === '  ...') this.end()
    return true
  }
}
