/** Idempotency keys: one job holds a key. A later call gets its id, or takes the key over from a job it cancelled. */

export interface IdempotencyKey {
  /** Index of the job in its call. */
  readonly index: number;
  readonly key: string;
  readonly contentHash: Uint8Array;
  readonly policy: 'FAIL' | 'USE_EXISTING' | 'REPLACE';
  /** The cancelled job from which the key may be taken; from no other. */
  readonly replacedJobId?: string | undefined;
}

export interface KeyOwner {
  readonly jobId: string;
  readonly contentHash: Uint8Array;
}

/** By key. */
export type KeyOwners = ReadonlyMap<string, KeyOwner>;

export type KeyObstacle =
  /** Nothing is stored: these keys with the policy REPLACE belong to these jobs, which must be cancelled first. */
  | { readonly kind: 'keysHeld'; readonly held: readonly { readonly index: number; readonly jobId: string }[] }
  | {
      readonly kind: 'idempotencyConflict';
      readonly index: number;
      readonly jobId: string;
      readonly sameContent: boolean;
    };

interface KeyedCall {
  readonly keys: readonly IdempotencyKey[];
  readonly jobs: readonly { readonly jobId: string }[];
}

/** Why the call can't be stored as it is: another job keeps a key, or some keys' jobs are to be replaced first. */
export function obstacleOf(call: KeyedCall, owners: KeyOwners): KeyObstacle | undefined {
  const others = call.keys.flatMap((key) => {
    const owner = owners.get(key.key);
    return owner && owner.jobId !== call.jobs[key.index]?.jobId ? [{ key, owner }] : [];
  });
  for (const { key, owner } of others) {
    const sameContent = isSame(owner.contentHash, key.contentHash);
    const isKept = key.policy === 'FAIL' || (key.policy === 'USE_EXISTING' && !sameContent);
    if (isKept) return { kind: 'idempotencyConflict', index: key.index, jobId: owner.jobId, sameContent };
  }
  const held = others.flatMap(({ key, owner }) =>
    key.policy === 'REPLACE' ? [{ index: key.index, jobId: owner.jobId }] : [],
  );
  return held.length > 0 ? { kind: 'keysHeld', held } : undefined;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
