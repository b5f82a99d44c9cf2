/** What a run has made outside of itself, written down before it is made. */

/** Something of the machine that would outlive a killed runner. */
export type Leftover =
  | { kind: 'folder'; path: string }
  | { kind: 'mount'; path: string }
  | { kind: 'namespace'; name: string }
