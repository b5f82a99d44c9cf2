/** REST and its document. */
export { openApiDocument } from './openapi.ts'
export { apiRoutes } from './routes.ts'
