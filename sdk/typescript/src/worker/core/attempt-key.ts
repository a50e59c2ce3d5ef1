/** One short string for a (job, attempt): what every table of the core is keyed by. */

export type AttemptKey = string;

/** Two bytes of the id go into each character, so that a key costs one flat string of ten. */
export function attemptKey(jobId: Uint8Array, attempt: number): AttemptKey {
  return String.fromCharCode(
    pair(jobId, 0),
    pair(jobId, 2),
    pair(jobId, 4),
    pair(jobId, 6),
    pair(jobId, 8),
    pair(jobId, 10),
    pair(jobId, 12),
    pair(jobId, 14),
    attempt >>> 16,
    attempt & 0xffff,
  );
}

function pair(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
