/** WHIP and WHEP. */
export { WhipDesk } from './routes.ts'
