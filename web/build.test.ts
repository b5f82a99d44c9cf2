import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

type Outcome = { code: number; output: string }

/** Runs build.ts in a folder of its own, where no package is installed. */
const buildWithoutPackages = async (
  environment: Record<string, string>,
  built: boolean,
): Promise<Outcome> => {
  const root = await mkdtemp(join(tmpdir(), 'nhipcau-build-'))
  try {
    await mkdir(join(root, 'web/dist'), { recursive: true })
    await writeFile(join(root, 'package.json'), '{"type":"module"}')
    await copyFile(
      fileURLToPath(new URL('./build.ts', import.meta.url)),
      join(root, 'web/build.ts'),
    )
    if (built) await writeFile(join(root, 'web/dist/index.html'), '')
    return await run(join(root, 'web/build.ts'), environment)
  } finally {
    await rm(root, { recursive: true })
  }
}

const run = (file: string, environment: Record<string, string>): Promise<Outcome> =>
  new Promise((resolve) => {
    const env = { PATH: process.env.PATH, ...environment }
    execFile(process.execPath, [file], { env }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), output: stdout + stderr })
    })
  })

test('without the builder, an install that wanted it fails and says so', async (t) => {
  const { code, output } = await buildWithoutPackages({}, false)
  t.is(code, 1)
  t.regex(output, /vite is missing/)
})

test('without the builder, a production install goes on and says what is missing', async (t) => {
  for (const environment of [{ NODE_ENV: 'production' }, { npm_config_omit: 'optional dev' }]) {
    const { code, output } = await buildWithoutPackages(environment, false)
    t.is(code, 0)
    t.regex(output, /not built/)
  }
})

test('without the builder, a page that was built earlier stays', async (t) => {
  const { code, output } = await buildWithoutPackages({}, true)
  t.is(code, 0)
  t.regex(output, /stays/)
})
