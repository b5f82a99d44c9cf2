/** `npm run docs`: writes the pages that are made from tables in the code. A test holds them together. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configPage } from './config-page.ts'
import { linkPage } from './link-page.ts'
import { metricsPage } from './metrics-page.ts'

writeFileSync(join(import.meta.dirname, 'CONFIG.md'), configPage())
writeFileSync(join(import.meta.dirname, 'METRICS.md'), await metricsPage())
writeFileSync(join(import.meta.dirname, 'LINK.md'), linkPage())
