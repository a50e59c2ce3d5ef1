/** Stores versions of definitions, and archives definitions. */
import { type JobDefinition, limitsOf } from '../../domain/definitions/definition.ts';
import { changeDefinitionLimits } from '../dispatch/limited-lanes.ts';
import type { AppliedDefinition } from '../ports/definitions.ts';
import type { Store } from '../ports/store.ts';

/** Max attempts: concurrent calls may take a version number first. */
const TRIES = 20;

/** Stores a version unless the newest one has the same content. Takes the definition out of the archive in any case. */
export function applyDefinition(
  store: Store,
  definition: JobDefinition,
  contentHash: Uint8Array,
  validateOnly: boolean,
): Promise<AppliedDefinition> {
  const { namespace, name } = definition;
  return store.together(async (tx) => {
    if (!validateOnly) await tx.takeFromArchive(namespace, name);
    for (let i = 0; i < TRIES; i++) {
      const newest = await tx.readNewestDefinition(namespace, name);
      if (newest && Buffer.compare(newest.contentHash, contentHash) === 0)
        return { definition: newest.definition, created: false };
      const previous = newest?.definition;
      const next = { ...definition, version: (previous?.version ?? 0) + 1 };
      if (validateOnly) return { definition: next, created: true, previous };
      const createTimeUs = await tx.insertDefinition(next, contentHash);
      if (createTimeUs === undefined) continue;
      await tx.setRetention(namespace, definition.retentionMs, name);
      await changeDefinitionLimits(tx, namespace, name, limitsOf(definition));
      return { definition: { ...next, createTimeUs }, created: true, previous };
    }
    throw Object.assign(new Error(`definition ${name} is being changed by too many callers at once`), {
      code: '40001',
    });
  });
}

/** Returns the newest version. Undefined: no definition has this name. */
export async function archiveDefinition(
  store: Store,
  namespace: string,
  name: string,
): Promise<JobDefinition | undefined> {
  await store.putInArchive(namespace, name);
  return store.readDefinition(namespace, name, 0);
}
