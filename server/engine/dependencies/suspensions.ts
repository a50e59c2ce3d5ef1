/** Reports of handlers that stopped on request, or wait for children: then the job waits for those that are open. */
import { decideSuspend } from '../../domain/dependencies/children.ts';
import type { Dependency } from '../../domain/dependencies/dependencies.ts';
import type { Changes } from '../jobs/change/changes.ts';
import type { AttemptKey } from '../ports/attempts.ts';
import type { Random } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';

export interface Suspension extends AttemptKey {
  readonly childIds: readonly string[];
}

export interface SuspensionsParts {
  readonly store: Pick<Store, 'together'>;
  readonly changes: Changes;
  readonly random: Random;
}

/** Returns the suspensions whose attempts were open in their sessions. */
export async function suspendAll(
  parts: SuspensionsParts,
  suspensions: readonly Suspension[],
): Promise<ReadonlySet<AttemptKey>> {
  const accepted = new Set<AttemptKey>();
  for (const suspension of suspensions) if (await suspend(parts, suspension)) accepted.add(suspension);
  return accepted;
}

async function suspend({ store, changes, random }: SuspensionsParts, suspension: Suspension): Promise<boolean> {
  const { jobId, attempt, sessionId, childIds } = suspension;
  let open: readonly string[] = [];
  const made = await changes.applyWith(
    (decideAll) =>
      store.together(async (inner) => {
        // Linked before the decision: a child that ends from now on writes to the inbox.
        open = await inner.dependencies.linkChildren(jobId, childIds);
        const attempts = [{ jobId, attempt, sessionId }];
        const changed = await inner.change({ by: 'attempts', attempts }, decideAll);
        const [change] = changed;
        if (change?.kind === 'continue' && change.state === 'WAITING')
          await inner.dependencies.addEdges('', jobId, open.map(endOf));
        return changed;
      }),
    (run, nowUs) => decideSuspend(run, open.length, { nowUs, random: random.next() }),
  );
  return made.length > 0;
}

function endOf(jobId: string): Dependency {
  return { on: { kind: 'JOB', jobId }, condition: 'ENDED' };
}
