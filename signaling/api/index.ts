/** REST and its document. */

export type { LinkTestDoor } from './entry.ts'
export { openApiDocument } from './openapi.ts'
export { apiRoutes } from './routes.ts'
