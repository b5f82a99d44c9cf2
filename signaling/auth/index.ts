/** Tokens and the keys that sign them. */
export { type Claims, isNodeRole, isRoomName, TOKEN_ROLES, type TokenRole } from './claims.ts'
export { loadTokenKeys, type TokenKeys } from './keys.ts'
export { type IssuerJwk, issuerJwk, PinnedIssuers } from './pinned-issuers.ts'
export {
  createTokenVerifier,
  issueToken,
  type TokenRequest,
  type TokenVerifier,
} from './tokens.ts'
