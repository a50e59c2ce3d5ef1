/**
 * Planted bugs: source patches that the simulation must notice. The first eight, and close_without_recheck, come from
 * the protocol's model; late_beat_aborts and one_report_a_job were real bugs until the simulation found them.
 */

import { changeMutants } from './change-mutants.ts';
import { eventMutants } from './event-mutants.ts';
import { flowMutants } from './flow-mutants.ts';
import { limitMutants } from './limit-mutants.ts';
import { linkMutants } from './link-mutants.ts';
import { matchingMutants } from './matching-mutants.ts';
import type { Mutant } from './mutant.ts';
import { pauseMutants } from './pause-mutants.ts';
import { placementMutants } from './placement-mutants.ts';
import { upkeepMutants } from './upkeep-mutants.ts';

const core = 'sdk/typescript/src/worker/core';

export const mutants: Readonly<Record<string, Mutant>> = {
  timer_takeback: {
    about: 'The server takes a grant back because time has passed.',
    patches: [
      {
        file: 'server/store/jobs/change/lock-runs.ts',
        find: 'WHERE r.due_time <= (SELECT least(time, $2::timestamptz) FROM now) ORDER BY',
        replace: `WHERE (r.due_time <= (SELECT least(time, $2::timestamptz) FROM now) OR (r.state = 5 AND r.assign_time < (SELECT time FROM now) - interval '3 s')) ORDER BY`,
      },
      {
        file: 'server/domain/jobs/decide-due.ts',
        find: 'import { afterFailure, continueAs, end, expiryOf,',
        replace: 'import { afterFailure, continueAs, decideRelease, end, expiryOf,',
      },
      {
        file: 'server/domain/jobs/decide-due.ts',
        find: 'if (run.dueTimeUs === null || run.dueTimeUs > moment.nowUs) return undefined;',
        replace: `if (run.state === 'ASSIGNED') return decideRelease(run, 'time', moment);
          if (run.dueTimeUs === null || run.dueTimeUs > moment.nowUs) return undefined;`,
      },
    ],
  },
  release_duplicates: {
    about: 'The worker releases the duplicate of an assignment that it holds.',
    patches: [
      {
        file: `${core}/dispatch/acceptance.ts`,
        find: 'if (facts.held || facts.seen) return IGNORE;',
        replace: 'if (facts.held) return release(ReleaseReason.NO_SLOT); if (facts.seen) return IGNORE;',
      },
    ],
  },
  fence_on_id: {
    about: 'A result completes a job whatever attempt and session it is of.',
    patches: [
      {
        file: 'server/store/sessions/complete-attempts.ts',
        find: 'AND r.attempt = i.attempt AND r.session_id IS NOT DISTINCT FROM i.session_id AND r.state',
        replace: 'AND r.state',
      },
    ],
  },
  no_self_fence: {
    about: 'The worker never gives its lease up.',
    patches: [
      { file: `${core}/sessions/fence.ts`, find: 'return now >= this.#at;', replace: 'return now < 0;' },
      { file: `${core}/sessions/fence.ts`, find: 'return this.#at;', replace: 'return Number.POSITIVE_INFINITY;' },
    ],
  },
  forget_seen: {
    about: 'The worker forgets which attempts it has seen.',
    patches: [
      {
        file: `${core}/dispatch/attempts.ts`,
        find: 'const seen = credit?.seen?.has(key) === true;',
        replace: 'const seen = false;',
      },
    ],
  },
  cancelled_back_to_ready: {
    about: 'A cancelled attempt that is released or lost goes back to READY.',
    patches: [
      {
        file: 'server/domain/jobs/decide.ts',
        find: "if (run.state === 'CANCELLING') return cancelled('release', run);",
        replace: '',
      },
      {
        file: 'server/domain/jobs/decide.ts',
        find: "if (run.state === 'CANCELLING') return cancelled('abort', run);",
        replace: '',
      },
    ],
  },
  no_resend_no_release: {
    about: 'A lost assignment is not sent again, and an unwelcome one is not given back.',
    patches: [
      {
        file: 'server/engine/sessions/sessions.ts',
        find: 'assignments: missing.length > 0 ? await this.#resend(missing) : [],',
        replace: 'assignments: missing.length < 0 ? await this.#resend(missing) : [],',
      },
      {
        file: `${core}/dispatch/acceptance.ts`,
        find: 'return release(whyNot(facts));',
        replace: 'return whyNot(facts) ? IGNORE : IGNORE;',
      },
    ],
  },
  aborts_silently: {
    about: 'The worker stops handlers at its fence and does not say so.',
    patches: [
      {
        file: `${core}/dispatch/attempts.ts`,
        find: 'this.#close(execution, aborted());',
        replace:
          "if (aborted().case) { execution.held.phase = 'closing'; execution.held.execution = undefined; execution.held = undefined; }",
      },
    ],
  },
  close_without_recheck: {
    about: 'A session is closed by a lapse that a heartbeat has made good meanwhile.',
    patches: [
      {
        file: 'server/store/sessions/sessions.ts',
        find: "($3::bigint IS NULL OR l.lease_until + $3 * interval '1 ms' <= now.time)",
        replace: "($3::bigint IS NULL OR l.lease_until + $3 * interval '1 ms' <= now.time + interval '1 h')",
      },
    ],
  },
  claim_for_closed_session: {
    about: 'Neither a claim nor a submission asks whether the session is open.',
    patches: [
      {
        file: 'server/store/dispatch/claim-jobs.ts',
        find: 'WHERE session_id = ANY($1::uuid[]) AND state IS NOT DISTINCT FROM 1',
        replace: 'WHERE session_id = ANY($1::uuid[])',
      },
      {
        file: 'server/store/jobs/submit/insert-jobs.ts',
        find: 'WHERE session_id = ANY($${sessionIds}::uuid[]) AND state IS NOT DISTINCT FROM 1',
        replace: 'WHERE session_id = ANY($${sessionIds}::uuid[])',
      },
    ],
  },
  late_beat_aborts: {
    about: 'A heartbeat that comes late decides what is unknown to its worker.',
    patches: [
      {
        file: 'server/engine/sessions/sessions.ts',
        find: 'if (beat.pingEcho !== renewal.beats - 1) return false;',
        replace: 'if (beat.pingEcho <= renewal.beats) return true;',
      },
    ],
  },
  late_progress: {
    about: 'Progress that comes late sets newer progress back.',
    patches: [
      { file: 'server/store/sessions/held-runs.ts', find: 'AND i.sequence > r.progress_sequence', replace: '' },
    ],
  },
  suspects_together: {
    about: 'A session is given several suspects at once.',
    patches: [
      {
        file: 'server/engine/dispatch/claims/free-permits.ts',
        find: 'return permits.filter((permit) => free.delete(permit.sessionId));',
        replace: 'return permits.filter((permit) => free.has(permit.sessionId) || true);',
      },
      {
        file: 'server/engine/dispatch/unspent-credits.ts',
        find: `permits.push(...takeKind([session], 1, 'slots'));`,
        replace: `permits.push(...takeKind([session], 9, 'slots'));`,
      },
    ],
  },
  everybody_is_charged: {
    about: 'Every job that a lost session held is charged, not the suspect alone.',
    patches: [
      {
        file: 'server/domain/jobs/losses.ts',
        find: 'isSuspicious && isSuspect(before)',
        replace: 'isSuspicious',
      },
    ],
  },
  one_report_a_job: {
    about: 'Of several reports of one job that come together only the first is looked at, be it stale.',
    patches: [
      {
        file: 'server/engine/sessions/reports.ts',
        find: 'if (!first.has(text)) first.set(text, item);',
        replace: 'if (![...first.values()].some(({ jobId }) => jobId === item.jobId)) first.set(text, item);',
      },
    ],
  },
  ...changeMutants,
  ...pauseMutants,
  ...upkeepMutants,
  ...matchingMutants,
  ...limitMutants,
  ...placementMutants,
  ...eventMutants,
  ...flowMutants,
  ...linkMutants,
};
