/** Writes what workflows and batches have become, in the transaction that advanced them. */
import type { AdvancedBatch } from '../batches/advance.ts';
import type { NewInboxRow } from '../ports/inbox.ts';
import type { Store } from '../ports/store.ts';
import type { LockedWorkflow } from '../ports/workflows.ts';
import type { Advanced } from './advance.ts';

/** A workflow or a batch. Batches use the same inbox and the same locks. */
export type AdvancedOne = (Advanced & { readonly batch?: undefined }) | AdvancedBatch;

export async function writeAll(
  store: Store,
  locked: readonly LockedWorkflow[],
  advanced: readonly AdvancedOne[],
): Promise<void> {
  const workflows = advanced.flatMap((one) => (one.batch ? [] : [one]));
  const batches = advanced.flatMap(({ batch }) => batch ?? []);
  await Promise.all([
    store.workflows.write({
      runs: workflows.map(({ run }) => run),
      steps: workflows.flatMap(({ steps }) => steps),
      compensations: workflows.flatMap(({ compensations }) => compensations),
    }),
    store.inbox.add(advanced.flatMap((one, i) => [...one.inbox, ...endedSteps(one, locked[i])])),
    store.stepCache.keep(workflows.flatMap(({ kept }) => kept)),
    store.batches.write(batches),
  ]);
}

/** Inbox entries for jobs that depend on ended steps. */
function endedSteps(one: AdvancedOne, workflow: LockedWorkflow | undefined): NewInboxRow[] {
  if (one.batch || !workflow?.notifiesDependents) return [];
  return one.steps.flatMap(({ jobId, step, state }) =>
    state === 'WAITING' || state === 'RUNNING' ? [] : [{ kind: 'STEP_ENDED', jobId, step, state }],
  );
}
