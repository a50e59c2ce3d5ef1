/** Planted bugs in limits. */
import type { Mutant } from './mutant.ts';

export const limitMutants: Readonly<Record<string, Mutant>> = {
  limit_counts_what_was_folded: {
    about: 'A limit counts the jobs that are held without what has changed since the counts were folded.',
    patches: [
      {
        file: 'server/store/dispatch/limit-use.ts',
        find: 'UNION ALL SELECT r.jobs FROM recent r WHERE',
        replace: 'UNION ALL SELECT r.jobs FROM recent r WHERE false AND',
      },
    ],
  },
  key_limit_counts_assigned: {
    about: 'The limit of a key counts a job no more once it was seen running.',
    patches: [
      {
        file: 'server/store/dispatch/limit-use.ts',
        find: 'FROM job_runs r WHERE r.limit_id =',
        replace: 'FROM job_runs r WHERE r.state = 5 AND r.limit_id =',
      },
    ],
  },
  rate_units_not_taken: {
    about: 'Attempts take no units of their rate.',
    patches: [
      {
        file: 'server/store/dispatch/limit-use.ts',
        find: 'if (taken.length === 0) return;',
        replace: 'if (taken.length >= 0) return;',
      },
    ],
  },
  deferred_jobs_stay: {
    about: 'Jobs that wait at the limit of their key stay there, whatever is given back.',
    patches: [
      {
        file: 'server/engine/dispatch/requeue-deferred.ts',
        find: 'const open = headrooms.filter(({ headroom }) => headroom.jobs > 0);',
        replace: 'const open = headrooms.filter(({ headroom }) => headroom.jobs < 0);',
      },
    ],
  },
  stored_past_limit: {
    about: 'A job that is assigned as it is stored does not look at the limits of its queue and definition.',
    patches: [
      {
        file: 'server/engine/jobs/submit/limited-permits.ts',
        find: 'Math.min(under.headroom.jobs, open.length)',
        replace: 'open.length',
      },
    ],
  },
};
