/** `npm run docs`: writes the pages that are made from tables in the code. A test holds them together. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { benchPage } from './bench-page.ts'
import { configPage } from './config-page.ts'
import { linkPage } from './link-page.ts'
import { metricsPage } from './metrics-page.ts'
import { scenarioPage } from './scenario-page.ts'

writeFileSync(join(import.meta.dirname, 'CONFIG.md'), configPage())
writeFileSync(join(import.meta.dirname, 'METRICS.md'), await metricsPage())
writeFileSync(join(import.meta.dirname, 'LINK.md'), linkPage())
writeFileSync(join(import.meta.dirname, 'SCENARIOS.md'), scenarioPage())
const bench = join(import.meta.dirname, 'BENCH.md')
writeFileSync(bench, benchPage(readFileSync(bench, 'utf8')))
