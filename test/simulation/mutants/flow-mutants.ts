/** Planted bugs in workflows and batches. */
import type { Mutant } from './mutant.ts';

const inbox = 'server/store/jobs/inbox/workflow-entries.ts';
const phases = 'server/domain/workflows/phases.ts';

export const flowMutants: Readonly<Record<string, Mutant>> = {
  expiry_is_not_announced: {
    about: 'A workflow or a batch is not notified of a job that has expired.',
    patches: [
      {
        file: 'server/store/jobs/inbox/inbox-inserts.ts',
        find: 'WHERE parent_job_id IS NOT NULL AND step >= 0 GROUP BY',
        replace: `WHERE parent_job_id IS NOT NULL AND step >= 0 AND \${outcome} <> 12 GROUP BY`,
      },
    ],
  },
  inbox_entry_taken_twice: {
    about: 'Inbox rows of ended jobs stay, and the workflow or the batch acts on them again.',
    patches: [
      {
        file: inbox,
        find: `AND p.kind <> \${inboxKinds.CANCEL_CHILDREN} )`,
        replace: `AND p.kind <> \${inboxKinds.CANCEL_CHILDREN} AND (p.kind <> \${inboxKinds.CHILDREN_ENDED} OR p.entry_time < muster_now() - interval '1 s') )`,
      },
    ],
  },
  inbox_entry_of_the_busy_is_lost: {
    about: 'Inbox rows of a workflow that arrive while it stops are thrown away.',
    patches: [
      {
        file: 'server/engine/workflows/advance.ts',
        find: '...(await this.#childrenEnded())];',
        replace: '...(isStopping(this.#run) && !wasStopping ? [] : await this.#childrenEnded())];',
      },
    ],
  },
  starts_before_its_rule: {
    about: 'A step that waits for all starts once one has succeeded.',
    patches: [
      {
        file: 'server/domain/workflows/trigger-rules.ts',
        find: "ALL_DONE: ({ allEnded }) => (allEnded ? 'START' : 'WAIT'),",
        replace: "ALL_DONE: ({ allEnded, succeeded }) => (allEnded || succeeded > 0 ? 'START' : 'WAIT'),",
      },
    ],
  },
  no_clean_up_of_cancelled: {
    about: 'Of a workflow that is cancelled the final steps are left out.',
    patches: [
      {
        file: phases,
        find: "const isCalledFor = phase !== 'ON_FAILURE' || hasFailed(run);",
        replace: "const isCalledFor = (phase !== 'ON_FAILURE' || hasFailed(run)) && run.stopReason !== 'CANCELLED';",
      },
    ],
  },
  clean_up_is_cancelled: {
    about: 'Jobs of clean-up are cancelled with those of the work.',
    patches: [
      {
        file: 'server/engine/workflows/workflows.ts',
        find: 'outcome || batch ? [] : bodyOf(definitionBody).cleanup',
        replace: '[]',
      },
    ],
  },
  results_of_other_definitions: {
    about: 'A step takes the result of a job of another definition.',
    patches: [
      {
        file: 'server/domain/workflows/step-cache.ts',
        find: 'JSON.stringify([namespace, definition, version,',
        replace: 'JSON.stringify([namespace, version,',
      },
    ],
  },
  items_beyond_the_cost_are_lost: {
    about: 'Items that a transaction leaves to the next one, since its expressions cost enough, never start.',
    patches: [
      { file: 'server/engine/workflows/values.ts', find: 'maxSteps: MAX_STEPS,', replace: 'maxSteps: 1,' },
      {
        file: 'server/engine/workflows/steps/starts.ts',
        find: 'startItems(state, inputs.length), refused);',
        replace: 'startItems(state, decision.start), refused);',
      },
    ],
  },
  one_item_too_many: {
    about: 'A fan-out has one more item open than max_parallel says.',
    patches: [
      {
        file: 'server/domain/workflows/fan-out.ts',
        find: 'Math.min(size - started, maxParallel - open)',
        replace: 'Math.min(size - started, maxParallel + 1 - open)',
      },
    ],
  },
  failing_workflow_leaves_jobs_open: {
    about: 'A failing workflow continues to its end while its jobs run.',
    patches: [
      {
        file: phases,
        find: 'return isStopping(run) ? run.running === 0 :',
        replace: 'return isStopping(run) ? run.running <= 1 :',
      },
    ],
  },
  cancel_does_not_stop: {
    about: 'A cancelled workflow continues its work.',
    patches: [
      {
        file: phases,
        find: "return phase === 'WORK' && stopReason !== 'NO';",
        replace: "return phase === 'WORK' && stopReason !== 'NO' && stopReason !== 'CANCELLED';",
      },
    ],
  },
  retry_forgets_what_succeeded: {
    about: 'A retry of a workflow runs steps again that had succeeded.',
    patches: [
      {
        file: 'server/engine/workflows/adoption.ts',
        find: "graph.step(step).role === 'NORMAL');",
        replace: "graph.step(step).role === 'NORMAL' && graph.needs(step).length === 0);",
      },
    ],
  },
  retry_keeps_what_was_behind_a_failure: {
    about: 'A retry takes over steps that lie behind others which run again.',
    patches: [
      {
        file: 'server/domain/workflows/adoption.ts',
        find: 'isGood(one) && !again.has(one.step)',
        replace: 'isGood(one) && !(again.has(one.step) && one.compensation)',
      },
    ],
  },
  loop_runs_once_more: {
    about: 'A loop has one pass more than it may.',
    patches: [
      {
        file: 'server/domain/workflows/loop.ts',
        find: 'iteration + 1 < maxIterations',
        replace: 'iteration < maxIterations',
      },
    ],
  },
  workflow_ignores_paused_queue: {
    about: 'Workflows are taken although their queue is paused.',
    patches: [
      {
        file: 'server/store/jobs/change/lock-runs.ts',
        find: `lane_id = ANY($1::int[]) AND gates & ~\${gates.limited}::smallint = 0 ORDER BY`,
        replace: 'lane_id = ANY($1::int[]) ORDER BY',
      },
    ],
  },
  batch_ends_unsealed: {
    about: 'A batch ends once the members that it has so far have ended.',
    patches: [
      {
        file: 'server/domain/batches/batch.ts',
        find: "if (countEnded(ended) < members || !(isSealed || stopReason !== 'NO')) return undefined;",
        replace:
          "if (countEnded(ended) < members || !(isSealed || stopReason !== 'NO' || members > 1)) return undefined;",
      },
    ],
  },
  seal_is_not_announced: {
    about: 'A batch is not notified of its seal, so one whose members had all ended never ends.',
    patches: [
      {
        file: 'server/store/batches/batches.ts',
        find: `SELECT job_id, \${inboxKinds.SEALED}, (SELECT muster_now()) FROM sealed`,
        replace: `SELECT job_id, \${inboxKinds.SEALED}, (SELECT muster_now()) FROM sealed WHERE false`,
      },
    ],
  },
  no_callback_of_cancelled: {
    about: 'Of a batch that was cancelled there is no callback.',
    patches: [
      {
        file: 'server/engine/batches/advance.ts',
        find: 'if (!callback) return',
        replace: "if (!callback || state === 'CANCELLED') return",
      },
    ],
  },
  callback_of_stop_and_end: {
    about: 'A batch that is stopped has a callback at once, and another one when it ends.',
    patches: [
      {
        file: 'server/engine/batches/advance.ts',
        find: 'return { batch: { jobId, progress }, inbox, jobs: [], outcome: undefined };',
        replace: `const early = isNew && batch.callback
          ? await parts.callbacks.make(store, parts.namespace, workflow, batch.callback, { jobId, state: stopReason, members, ended: progress.ended } as never)
          : 'none';
        return { batch: { jobId, progress }, inbox, jobs: typeof early === 'string' ? [] : [early], outcome: undefined };`,
      },
    ],
  },
  cancelled_members_are_fine: {
    about: 'Members that were cancelled do not count as failed.',
    patches: [
      {
        file: 'server/domain/batches/batch.ts',
        find: 'return failed + cancelled + expired;',
        replace: 'return failed + expired;',
      },
    ],
  },
};
