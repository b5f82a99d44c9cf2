/** REST and its document. */
export { openApiDocument } from './openapi.ts'
export { type ApiOptions, apiRoutes } from './routes.ts'
