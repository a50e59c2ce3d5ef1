/** Planted bugs in the changes of a job after a failure, a timeout, or an operator's request. */
import type { Mutant } from './mutant.ts';

export const changeMutants: Readonly<Record<string, Mutant>> = {
  resume_resets_attempts: {
    about: 'A resumed job has all of its attempts again.',
    patches: [
      {
        file: 'server/domain/jobs/pause.ts',
        find: 'waitUs, nowUs), ...running });',
        replace: 'waitUs, nowUs), ...running, attemptCount: 0 });',
      },
    ],
  },
  claim_ignores_pause: {
    about: 'A claim takes paused jobs, too.',
    patches: [
      {
        file: 'server/store/dispatch/claim-jobs.ts',
        find: 'AND r.rank >= l.cursor_rank',
        replace: 'AND r.rank >= l.cursor_rank OR r.lane_id = l.lane_id AND r.state = 4',
      },
    ],
  },
  promotion_overtakes_cancel: {
    about: 'A cancel passes over a SCHEDULED job whose time comes soon.',
    patches: [
      {
        file: 'server/store/jobs/change/lock-runs.ts',
        find: 'WHERE r.job_id = ANY($1::uuid[]) AND EXISTS',
        replace: `WHERE r.job_id = ANY($1::uuid[]) AND NOT (r.state = 2 AND r.due_time < (SELECT time FROM now) + interval '1 s') AND EXISTS`,
      },
    ],
  },
  timeout_on_own_clock: {
    about: "A replica decides by its own machine's clock which times are over.",
    patches: [
      {
        file: 'server/engine/upkeep/sweeper.ts',
        find: '{ nowUs, random: random.next() }, definition.timeLimits,',
        replace: '{ nowUs: nowUs + 5_000_000, random: random.next() }, definition.timeLimits,',
      },
    ],
  },
  no_delay: {
    about: 'Retries do not wait.',
    patches: [
      {
        file: 'server/domain/jobs/decide.ts',
        find: 'const timeUs = nowUs + delayMs * 1000;',
        replace: 'const timeUs = nowUs + 1;',
      },
    ],
  },
  ignored_attempts_count: {
    about: 'An attempt that a rule ignores counts all the same.',
    patches: [
      {
        file: 'server/domain/retries/retry-verdict.ts',
        find: "if (rule?.action === 'IGNORE') return false;",
        replace: '',
      },
    ],
  },
  limit_of_one_more: {
    about: 'A limit for a cause lets one attempt too many through.',
    patches: [
      {
        file: 'server/domain/retries/retry-verdict.ts',
        find: 'countOf(failures, cause) < limit)',
        replace: 'countOf(failures, cause) <= limit)',
      },
    ],
  },
};
