/** The definition of batches' own jobs. No worker runs them; only its name and its queue matter. */
import { BATCH_DEFINITION } from '../../domain/batches/batch.ts';
import { definitionDefaults, type JobDefinition } from '../../domain/definitions/definition.ts';
import { hashOf } from '../base/derived-ids.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { Store } from '../ports/store.ts';

function newDefinition(namespace: string): JobDefinition {
  const { queue, retryPolicy, runTimeoutMs, cancelGraceMs } = definitionDefaults;
  return {
    namespace,
    name: BATCH_DEFINITION,
    version: 0,
    handler: BATCH_DEFINITION,
    queue,
    retryPolicy,
    runTimeoutMs,
    cancelGraceMs,
    leaseLossAction: 'ABORT',
    demands: { labels: {} },
    priority: 0,
    description: 'Batches: each of these jobs stands for its members.',
    labels: {},
    createTimeUs: 0,
  };
}

/** Within a transaction; creates the definition for the namespace's first batch. */
export async function batchDefinition(
  definitions: Definitions,
  store: Pick<Store, 'readDefinition' | 'applyDefinition'>,
  namespace: string,
): Promise<JobDefinition> {
  const known =
    definitions.known(namespace, BATCH_DEFINITION, 0) ??
    (await definitions.readWithin(store, namespace, BATCH_DEFINITION, 0));
  if (known) return known;
  const definition = newDefinition(namespace);
  const content = hashOf(JSON.stringify({ ...definition, namespace: '' }));
  return (await store.applyDefinition(definition, content, false)).definition;
}
