/** The door of bench/: `./nhipcau bench ...`. */
import { DOORS_USAGE, doorsCommand } from './doors/index.ts'
import { FORWARD_USAGE, forwardCommand } from './forward/index.ts'
import { LINK_BENCH_USAGE, linkBenchCommand } from './link/io/index.ts'

export { linkCommand } from './link/io/index.ts'

/** Runs `bench` with what follows it on the command line; resolves with the exit code. */
export async function benchCommand([name = 'help', ...args]: string[]): Promise<number> {
  switch (name) {
    case 'forward':
      return await forwardCommand(args)
    case 'doors':
      return await doorsCommand(args)
    case 'link':
      return await linkBenchCommand(args)
    default:
      console.log(
        `usage: ./nhipcau bench NAME [options]\n\n${FORWARD_USAGE}\n\n${DOORS_USAGE}\n\n${LINK_BENCH_USAGE}`,
      )
      return name === 'help' ? 0 : 2
  }
}
