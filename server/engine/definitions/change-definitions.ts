/** Stores versions of definitions, and archives definitions. */
import { type JobDefinition, limitsOf } from '../../domain/definitions/definition.ts';
import { EngineError } from '../base/errors.ts';
import { changeDefinitionLimits } from '../dispatch/limited-lanes.ts';
import type { AppliedDefinition, BegunRollout } from '../ports/definitions.ts';
import type { Store } from '../ports/store.ts';

/** Max attempts: concurrent calls may take a version number first. */
const TRIES = 20;

export interface ApplyOptions {
  readonly validateOnly: boolean;
  /** Undefined: all new jobs take the new version. */
  readonly rollout?: BegunRollout | undefined;
}

/** Stores a version unless the newest one has the same content. Takes the definition out of the archive in any case. */
export function applyDefinition(
  store: Store,
  definition: JobDefinition,
  contentHash: Uint8Array,
  { validateOnly, rollout }: ApplyOptions,
): Promise<AppliedDefinition> {
  const { namespace, name } = definition;
  return store.together(async (tx) => {
    if (!validateOnly) await tx.takeFromArchive(namespace, name);
    for (let i = 0; i < TRIES; i++) {
      const newest = await tx.readNewestDefinition(namespace, name);
      if (newest && Buffer.compare(newest.contentHash, contentHash) === 0)
        return { definition: newest.definition, created: false };
      const previous = newest?.definition;
      if (rollout && !previous) throw noBase();
      const next = { ...definition, version: (previous?.version ?? 0) + 1 };
      if (validateOnly) return { definition: next, created: true, previous };
      const createTimeUs = await tx.insertDefinition(next, contentHash);
      if (createTimeUs === undefined) continue;
      await tx.setRetention(namespace, definition.retentionMs, name);
      await changeDefinitionLimits(tx, namespace, name, limitsOf(definition));
      if (previous) await beginRollout(tx, next, previous, rollout);
      return { definition: { ...next, createTimeUs }, created: true, previous };
    }
    throw Object.assign(new Error(`definition ${name} is being changed by too many callers at once`), {
      code: '40001',
    });
  });
}

/** The version that most new jobs took until now is the base of the new one. An open roll-out ends. */
async function beginRollout(
  { rollouts }: Store,
  { namespace, name: definition, version }: JobDefinition,
  previous: JobDefinition,
  rollout: ApplyOptions['rollout'],
): Promise<void> {
  // Read again once it is locked: it may have ended since.
  const before = await rollouts.lock({ namespace, definition, version: previous.version });
  const baseVersion = before && before.state !== 'PROMOTED' ? before.baseVersion : previous.version;
  await rollouts.supersede(namespace, definition, `version ${version} was stored`);
  if (rollout) await rollouts.insert({ namespace, definition, version, baseVersion, ...rollout });
}

function noBase(): EngineError {
  const description = 'must be unset for a first version: there is none that other jobs could take';
  return new EngineError('INVALID_FIELD', `rollout ${description}`, {
    field: 'rollout',
    violations: [{ field: 'rollout', description }],
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
