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
};
