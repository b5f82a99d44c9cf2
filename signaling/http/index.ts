/** What all HTTP doors share: routes, answers, origins, bearer tokens, pages. */
export { json, methodNotAllowed, noContent, refusal } from './answer.ts'
export { bearerOf, mayManage } from './bearer.ts'
export {
  corsHeaders,
  isAllowedOrigin,
  isDirectLoopback,
  isLoopbackAddress,
  isLoopbackPage,
  isPreflight,
} from './origin.ts'
export { type PageOptions, Pages } from './pages.ts'
export { type Route, type RouteRequest, Router } from './route.ts'
