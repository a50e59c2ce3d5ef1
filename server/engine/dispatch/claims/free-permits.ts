/** Sessions that may get a suspect: a job that may crash its worker. No session holds two suspects. */
import type { Permit } from '../../ports/dispatch.ts';
import type { Store } from '../../ports/store.ts';

/** Within `together`: one permit of each session that holds no suspect and has no claim of suspects under way. */
export async function freePermits(tx: Store, permits: readonly Permit[]): Promise<Permit[]> {
  const locked = await tx.lockForSuspects([...new Set(permits.map((permit) => permit.sessionId))]);
  // A separate statement: what an earlier claim assigned is younger than the snapshot that the lock was taken under.
  const free = new Set(locked.length > 0 ? await tx.findWithoutSuspect(locked) : []);
  return permits.filter((permit) => free.delete(permit.sessionId));
}
