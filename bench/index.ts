/**
 * The door of bench/: `./nhipcau bench ...` and `./nhipcau link ...`. What a command needs is
 * loaded when it is asked for.
 */

/** Runs `bench` with what follows it on the command line; resolves with the exit code. */
export async function benchCommand([name = 'help', ...args]: string[]): Promise<number> {
  switch (name) {
    case 'forward':
      return await (await import('./forward/index.ts')).forwardCommand(args)
    case 'doors':
      return await (await import('./doors/index.ts')).doorsCommand(args)
    case 'list': {
      const { missingNeeds } = await import('./run/index.ts')
      return (await import('./scenario/index.ts')).listCommand(args, missingNeeds)
    }
    case 'run':
      return await (await import('./run/index.ts')).runCommand(args)
    case 'compare':
      return (await import('./report/index.ts')).compareCommand(args)
    case 'link':
      return await (await import('./link/io/index.ts')).linkBenchCommand(args)
    default:
      console.log(await usage())
      return name === 'help' ? 0 : 2
  }
}

/** Runs `link` with what follows it on the command line; resolves with the exit code. */
export async function linkCommand(args: string[]): Promise<number> {
  return await (await import('./link/io/index.ts')).linkCommand(args)
}

async function usage(): Promise<string> {
  const { FORWARD_USAGE } = await import('./forward/index.ts')
  const { DOORS_USAGE } = await import('./doors/index.ts')
  const { LIST_USAGE } = await import('./scenario/index.ts')
  const { RUN_USAGE } = await import('./run/index.ts')
  const { COMPARE_USAGE } = await import('./report/index.ts')
  const { LINK_BENCH_USAGE } = await import('./link/io/index.ts')
  const parts = [LIST_USAGE, RUN_USAGE, COMPARE_USAGE, FORWARD_USAGE, DOORS_USAGE, LINK_BENCH_USAGE]
  return `usage: ./nhipcau bench NAME [options]\n\n${parts.join('\n\n')}`
}
