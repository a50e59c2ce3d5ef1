/** A short string for a (job, attempt): the key of every table of the core. */

export type AttemptKey = string;

/** Packs two bytes of the id into each character, so a key costs one flat string of ten characters. */
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
