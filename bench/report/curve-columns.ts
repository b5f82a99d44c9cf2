/** Which percentiles the tables of the page and of `compare` have; the maximum follows. */
export const CURVE_PERCENTILES = [50, 90, 95, 99, 99.9] as const
