/** Planted bugs in pauses of jobs that run. */
import type { Mutant } from './mutant.ts';

export const pauseMutants: Readonly<Record<string, Mutant>> = {
  suspension_without_pause: {
    about: 'A job that is to be paused is ready again once its attempt is over.',
    patches: [{ file: 'server/domain/jobs/decide.ts', find: 'if (pausesNext(run)) {', replace: 'if (false) {' }],
  },
  suspension_without_end: {
    about: 'A handler that does not stop keeps its attempt after its grace period.',
    patches: [
      {
        file: 'server/domain/jobs/decide-due.ts',
        find: 'if (!run.suspension || run.suspension.untilUs > nowUs) return undefined;',
        replace: 'if (!run.suspension || run.suspension.untilUs + 60_000_000 > nowUs) return undefined;',
      },
    ],
  },
  exhausted_counts_on: {
    about: 'A job that is resumed after its last attempt has one attempt, and not all of them again.',
    patches: [
      {
        file: 'server/domain/jobs/pause.ts',
        find: 'if (!run.exhausted) return {};',
        replace: 'if (run.attempt > 0) return {};',
      },
    ],
  },
  exhausted_by_loss_fails: {
    about: 'A job whose last attempt was lost fails, and does not wait for a person.',
    patches: [
      {
        file: 'server/domain/retries/retry-verdict.ts',
        find: "return over ? exhaust(given, over) : { kind: 'none'",
        replace: "return over ? stop(given, over) : { kind: 'none'",
      },
    ],
  },
  given_up_without_its_failure: {
    about: 'A job that a person ends after its last attempt has another failure than that attempt.',
    patches: [
      {
        file: 'server/domain/jobs/pause.ts',
        find: '{ failure: last, reason:',
        replace: "{ failure: { ...last, type: 'GivenUp' }, reason:",
      },
    ],
  },
  workflow_is_resumed_alone: {
    about: 'A workflow is resumed, and the jobs that were paused with it are not.',
    patches: [
      {
        file: 'server/domain/jobs/inbox.ts',
        find: "return begun || run.begun ? 'PAUSE_CHILDREN' : undefined;",
        replace: "return begun ? 'PAUSE_CHILDREN' : undefined;",
      },
    ],
  },
  paused_workflow_loses_ends: {
    about: 'Entries of the inbox of a paused workflow are taken, and nobody acts on them.',
    patches: [
      {
        file: 'server/store/jobs/inbox/workflow-entries.ts',
        find: `WHERE r.state IS DISTINCT FROM \${stateCodes.PAUSED} ORDER BY`,
        replace: 'WHERE true ORDER BY',
      },
    ],
  },
  paused_workflow_advances: {
    about: 'A workflow is advanced while it is paused.',
    patches: [
      {
        file: 'server/store/workflows/workflows.ts',
        find: '.filter(({ state }) => state !== stateCodes.PAUSED)',
        replace: '',
      },
      {
        file: 'server/store/jobs/inbox/workflow-entries.ts',
        find: `WHERE r.state IS DISTINCT FROM \${stateCodes.PAUSED} ORDER BY`,
        replace: 'WHERE true ORDER BY',
      },
    ],
  },
  new_member_of_a_paused_batch_runs: {
    about: 'A job that is added to a paused batch is not paused.',
    patches: [
      {
        file: 'server/engine/jobs/submit/submit-exclusive.ts',
        find: 'if (batch?.paused) await pauseMembers(tx, batch, joined);',
        replace: '',
      },
    ],
  },
};
