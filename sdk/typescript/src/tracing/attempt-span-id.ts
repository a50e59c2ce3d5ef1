/** Ids of the control plane's spans, derived from the job and the attempt. */

const PHASE = new TextEncoder().encode('attempt');
const JOB_ID_BYTES = 16;

/**
 * The id of the control plane's span of an attempt: the 64-bit FNV-1a hash of the job's id, the attempt's number in 4
 * bytes, big-endian, and the word "attempt".
 *
 * @param jobId The job's UUID, 16 bytes.
 */
export function attemptSpanId(jobId: Uint8Array, attempt: number): string {
  const bytes = new Uint8Array(JOB_ID_BYTES + 4 + PHASE.length);
  bytes.set(jobId);
  new DataView(bytes.buffer).setUint32(JOB_ID_BYTES, attempt);
  bytes.set(PHASE, JOB_ID_BYTES + 4);
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
}
