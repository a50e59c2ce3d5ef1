/** Planted bugs that stop jobs or create new ones: queues, drains, breakers, budgets, redrives, clean-ups. */
import type { Mutant } from './mutant.ts';

export const upkeepMutants: Readonly<Record<string, Mutant>> = {
  cleanup_made_twice: {
    about: 'A cancelled job is cleaned up after twice.',
    patches: [
      {
        file: 'server/engine/jobs/change/change-runs.ts',
        find: 'if (cleanups.length > 0) await tx.insertCleanups(cleanups);',
        replace: `const another = (id: string) => id.slice(0, -1) + (id.endsWith('0') ? '1' : '0');
          for (const one of cleanups) {
            await tx.insertCleanups([one]);
            await tx.insertCleanups([{ ...one, cleanup: { ...one.cleanup!, jobId: another(one.cleanup!.jobId) } }]);
          }`,
      },
    ],
  },
  no_cleanup_after_failure: {
    about: 'A clean-up follows a cancelled job only, whatever the definition says.',
    patches: [
      {
        file: 'server/domain/definitions/definition.ts',
        find: "(state === 'FAILED' && after === 'UNSUCCESSFUL')",
        replace: "(state === 'FAILED' && after === undefined)",
      },
    ],
  },
  cleanup_counted_twice: {
    about: 'A clean-up is counted twice among the open jobs of its queue.',
    patches: [
      {
        file: 'server/store/jobs/change/insert-cleanups.ts',
        find: 'AS state, jobs FROM groups',
        replace: 'AS state, 2 * jobs AS jobs FROM groups',
      },
    ],
  },
  late_end_is_in_time: {
    about: 'A job that ends after its soft deadline, before anybody looks, has met it.',
    patches: [
      {
        file: 'server/store/jobs/change/soft-deadlines.ts',
        find: 'AND o.end_time > w.time',
        replace: 'AND false',
      },
    ],
  },
  miss_has_no_event: {
    about: 'A job that misses its soft deadline is noted, without an event.',
    patches: [
      {
        file: 'server/store/jobs/change/soft-deadlines.ts',
        find: "by: ['state', 'revision', 'attempt', 'was_state'] })",
        replace: "by: ['state', 'revision', 'attempt', 'was_state'], where: 'false' })",
      },
    ],
  },
  late_job_is_not_cancelled: {
    about: 'A job that misses its soft deadline is not cancelled, against its definition.',
    patches: [
      {
        file: 'server/engine/jobs/change/soft-deadlines.ts',
        find: "isOpen(one) && one.reaction !== 'NOTIFY'",
        replace: "isOpen(one) && one.reaction === 'RAISE_PRIORITY'",
      },
    ],
  },
  late_job_is_not_raised: {
    about: 'The priority of a job that misses its soft deadline is not raised, against its definition.',
    patches: [
      {
        file: 'server/engine/jobs/change/soft-deadlines.ts',
        find: 'return decideRaise(run, priority);',
        replace: 'return void decideRaise(run, priority);',
      },
    ],
  },
  deadline_of_those_who_ended: {
    about: 'A job that ended before its soft deadline has missed it.',
    patches: [
      {
        file: 'server/store/jobs/change/soft-deadlines.ts',
        find: 'AND o.end_time > w.time',
        replace: '',
      },
    ],
  },
  redrive_makes_two: {
    about: 'Two redrives that see the same job without a retry make one each.',
    patches: [
      {
        file: 'server/engine/jobs/change/retries.ts',
        find: 'derivedUuid(`redrive/',
        replace: "((_: string) => '')(`redrive/",
      },
    ],
  },
  schedule_makes_two: {
    about: 'A run of a schedule that is tried again makes another job.',
    patches: [
      {
        file: 'server/engine/schedules/schedule-rounds.ts',
        find: 'requestId: derivedUuid(id),',
        replace: "requestId: '',",
      },
    ],
  },
  schedule_forgets_times: {
    about: 'Times of a schedule that come at once are decided as if only the first had come.',
    patches: [
      {
        file: 'server/domain/schedules/decide-schedule.ts',
        find: 'decidedUntilUs = nominalUs;',
        replace: 'decidedUntilUs = due.at(-1)!.nominalUs; if (i > 0) break;',
      },
    ],
  },
  schedule_change_forgets: {
    about:
      'Times of a schedule that have come, and are not decided yet, are forgotten when it is changed in something else.',
    patches: [
      {
        file: 'server/store/schedules/schedules.ts',
        find: 'ELSE decided_until END,',
        replace: 'ELSE greatest(decided_until, now.time) END,',
      },
    ],
  },
  schedule_new_times_forget: {
    about:
      'Times of a schedule that have come, and are not decided yet, are forgotten when other times take their place.',
    patches: [
      {
        file: 'server/engine/schedules/change-schedules.ts',
        find: 'const { isBehind } = await scanOne(tx, { ...locked, nowUs }, decide);',
        replace: 'const isBehind = decide === undefined && !(await scanOne(tx, locked, decide));',
      },
    ],
  },
  total_timeout_forgotten: {
    about: 'An attempt that runs is not measured by the total timeout of its job.',
    patches: [
      {
        file: 'server/store/sessions/held-runs.ts',
        find: 'due_time = least(l.run_deadline, r.deadline, l.quiet_deadline, l.watch_until, r.suspend_until)',
        replace: 'due_time = least(l.run_deadline, l.quiet_deadline, l.watch_until, r.suspend_until)',
      },
      {
        file: 'server/store/dispatch/claim-jobs.ts',
        find: '.deadline - now.time) * 1000)::bigint',
        replace: '.deadline - now.time) * 1000 + 3600000)::bigint',
      },
    ],
  },
  extension_forgotten: {
    about: 'The server ends an attempt at its run timeout, though its handler has asked for more in time.',
    patches: [
      {
        file: 'server/store/sessions/held-runs.ts',
        find: `run_deadline = r.run_deadline + (i.asked_ms - coalesce(r.run_extension_ms, 0)) * interval '1 ms',`,
        replace: '',
      },
      {
        file: 'server/store/sessions/held-runs.ts',
        find: `least(r.run_deadline + (i.asked_ms - coalesce(r.run_extension_ms, 0)) * interval '1 ms',`,
        replace: 'least(r.run_deadline,',
      },
    ],
  },
  claim_ignores_paused_queue: {
    about: 'A claim takes jobs of paused queues, too.',
    patches: [
      {
        file: 'server/store/dispatch/claim-jobs.ts',
        find: 'WHERE lanes.gates & ~$8::smallint = 0',
        replace: 'WHERE lanes.gates & ~($8::smallint | 1::smallint) = 0',
      },
    ],
  },
  new_lane_ignores_paused_queue: {
    about: 'A lane that is made while its queue is paused is not held back.',
    patches: [
      {
        file: 'server/store/dispatch/lanes.ts',
        find: 'CASE WHEN paused AND NOT $7 THEN',
        replace: 'CASE WHEN paused AND NOT $7 AND false THEN',
      },
    ],
  },
  claim_ignores_drain: {
    about: 'A claim hands jobs to sessions that are to drain, where a replica still has their credits.',
    patches: [
      {
        file: 'server/store/dispatch/claim-jobs.ts',
        find: 'IS NOT DISTINCT FROM 1 AND NOT drain_wanted ORDER BY session_id FOR KEY SHARE',
        replace: 'IS NOT DISTINCT FROM 1 ORDER BY session_id FOR KEY SHARE',
      },
    ],
  },
  due_by_the_database_alone: {
    about: 'A job is due when the clock of the database says so, also while it is an hour ahead.',
    patches: [
      {
        file: 'server/engine/upkeep/sweeper.ts',
        find: 'latestUs: dbClock.nowUs()',
        replace: 'latestUs: 2 * dbClock.nowUs()',
      },
      {
        file: 'server/engine/jobs/change/changes.ts',
        find: 'const nowUs = this.#parts.clock.trusted(readUs);',
        replace: 'const nowUs = readUs;',
      },
    ],
  },
  breaker_with_two_probes: {
    about: 'Two replicas that both see that a probe is due make one each.',
    patches: [
      {
        file: 'server/store/retries/probe-breakers.ts',
        find: 'WHERE namespace = $1 AND name = $2 AND state = 2 FOR UPDATE',
        replace: 'WHERE namespace = $1 AND name = $2 AND state <> 1 FOR UPDATE',
      },
      {
        file: 'server/engine/retries/claim-probe.ts',
        find: 'if (!locked || !isProbeDue(locked.breaker, Math.min(locked.nowUs, latestUs))) return undefined;',
        replace: 'if (!locked) return undefined;',
      },
    ],
  },
  failures_not_counted: {
    about: 'What opens breakers is forgotten where an attempt that failed is followed by another one.',
    patches: [
      {
        file: 'server/domain/retries/circuit-breaker.ts',
        find: "return reported(change.kind === 'end' ? change.failure : change.closed?.failure);",
        replace: "return change.kind === 'end' ? reported(change.failure) : undefined;",
      },
    ],
  },
  submission_ignores_breaker: {
    about: 'A job that is assigned as it is stored passes a breaker that is open.',
    patches: [
      {
        file: 'server/store/jobs/submit/insert-jobs.ts',
        find: 'AND (gates = 0',
        replace: 'AND (gates & 1 = 0',
      },
    ],
  },
  budget_of_one_more: {
    about: 'A retry budget lets one retry too many begin.',
    patches: [
      {
        file: 'server/domain/retries/retry-budget.ts',
        find: 'if (at(minute).retries < allowed)',
        replace: 'if (at(minute).retries <= allowed)',
      },
    ],
  },
  lapses_judged_late: {
    about: 'A replica judges lapses only after three leases without a gap in the answers of the database.',
    patches: [
      {
        file: 'server/engine/upkeep/health.ts',
        find: 'this.#clock.now() - this.#healthySince >= this.#leaseMs',
        replace: 'this.#clock.now() - this.#healthySince >= 3 * this.#leaseMs',
      },
    ],
  },
};
