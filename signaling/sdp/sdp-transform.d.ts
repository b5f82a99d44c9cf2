// The package ships no types. Only what parse-offer.ts reads; every value may be a string or a
// number.
declare module 'sdp-transform' {
  export type Scalar = string | number
  export type ParsedSection = {
    type?: Scalar
    port?: Scalar
    protocol?: Scalar
    payloads?: Scalar
    rtp: { payload: Scalar; codec: Scalar; rate?: Scalar; encoding?: Scalar }[]
    fmtp: { payload: Scalar; config: Scalar }[]
    rtcpFb?: { payload: Scalar; type: Scalar; subtype?: Scalar }[]
    ext?: { value: Scalar; direction?: Scalar; uri: Scalar; 'encrypt-uri'?: Scalar }[]
    rids?: { id: Scalar; direction: Scalar }[]
    simulcast?: { dir1?: Scalar; list1?: Scalar; dir2?: Scalar; list2?: Scalar }
    ssrcs?: { id: Scalar; attribute?: Scalar; value?: Scalar }[]
    ssrcGroups?: { semantics: Scalar; ssrcs: Scalar }[]
    mid?: Scalar
    direction?: Scalar
    setup?: Scalar
    iceUfrag?: Scalar
    icePwd?: Scalar
    fingerprint?: { type: Scalar; hash: Scalar }
    rtcpMux?: Scalar
  }
  export type ParsedSession = {
    media: ParsedSection[]
    groups?: { type: Scalar; mids: Scalar }[]
    direction?: Scalar
    setup?: Scalar
    iceUfrag?: Scalar
    icePwd?: Scalar
    icelite?: Scalar
    fingerprint?: { type: Scalar; hash: Scalar }
    extmapAllowMixed?: Scalar
  }
  export function parse(sdp: string): ParsedSession
}
