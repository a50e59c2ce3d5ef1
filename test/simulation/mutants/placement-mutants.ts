/** Planted bugs in placement. */
import type { Mutant } from './mutant.ts';

export const placementMutants: Readonly<Record<string, Mutant>> = {
  running_takes_nothing: {
    about: 'What a job takes of its session counts no more once it was seen running.',
    patches: [
      {
        file: 'server/store/dispatch/taken-resources.ts',
        find: 'FROM job_runs r WHERE r.session_id = i.session_id',
        replace: 'FROM job_runs r WHERE r.state = 5 AND r.session_id = i.session_id',
      },
    ],
  },
  demands_claimed_as_others: {
    about: 'A lane whose jobs take resources is claimed like any other.',
    patches: [
      {
        file: 'server/domain/dispatch/resources.ts',
        find: 'return Math.max(0, Math.min(...fits));',
        replace: 'return 1_000 * Math.max(0, Math.min(...fits));',
      },
    ],
  },
  kept_session_is_given_away: {
    about: 'A session that is kept free for a job that starves is given to others.',
    patches: [
      {
        file: 'server/domain/dispatch/reservation.ts',
        find: '(one.isReserved ? 0 : fitCount(',
        replace: '(one.isReserved && false ? 0 : fitCount(',
      },
    ],
  },
  sticky_goes_anywhere: {
    about: 'A job that keeps to a worker goes to any that serves it.',
    patches: [
      {
        file: 'server/engine/dispatch/lanes.ts',
        find: "if (worker === undefined || mode === 'HARD') return worker;",
        replace: "if (worker === undefined || mode === 'HARD') return undefined;",
      },
    ],
  },
  required_is_ignored: {
    about: 'What must be true of the labels of a session is not asked.',
    patches: [
      {
        file: 'server/domain/dispatch/placement.ts',
        find: '(demands.required === undefined || isTrueOf(demands.required, labels))',
        replace: '(demands.required === undefined || isTrueOf(demands.required, labels) || true)',
      },
    ],
  },
  memory_stays: {
    about: 'An attempt after one that ran out of memory takes no more than that one.',
    patches: [
      {
        file: 'server/domain/retries/memory-growth.ts',
        find: 'return memory > before ?',
        replace: 'return memory < before ?',
      },
    ],
  },
};
