/** A time after all others, in microseconds since 1970: the year 2200. */
export const FAR_US = Date.UTC(2200, 0) * 1_000;
