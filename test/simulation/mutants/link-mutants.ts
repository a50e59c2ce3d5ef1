/** Planted bugs in waits: for events and approvals, for other jobs, for children. */
import type { Mutant } from './mutant.ts';

export const linkMutants: Readonly<Record<string, Mutant>> = {
  kept_event_stays: {
    about: 'An event that was kept ends each job that begins to wait for it.',
    patches: [
      {
        file: 'server/store/signals/sent-signals.ts',
        find: 'DELETE FROM sent_signals WHERE row_id = ANY (ARRAY(SELECT row_id FROM picked)) RETURNING row_id, signal_key_id, payload, content_type, metadata',
        replace:
          'SELECT row_id, signal_key_id, payload, content_type, metadata FROM sent_signals WHERE row_id = ANY (ARRAY(SELECT row_id FROM picked))',
      },
    ],
  },
  kept_event_is_passed_over: {
    about: 'A job begins to wait without a look at the events that are kept.',
    patches: [
      {
        file: 'server/engine/signals/begin-waits.ts',
        find: 'takeKept(waits, kept)',
        replace: 'takeKept(waits, [])',
      },
    ],
  },
  event_reaches_the_last_only: {
    about: 'Of several jobs that wait for a signal the last one gets it.',
    patches: [
      {
        file: 'server/domain/signals/signal-queue.ts',
        find: "{ kind: 'DELIVER', after: promisedUpTo, upTo: lastWait }",
        replace: "{ kind: 'DELIVER', after: Math.max(promisedUpTo, lastWait - 1), upTo: lastWait }",
      },
    ],
  },
  undelivered_event_is_lost: {
    about: 'An event whose jobs have all ended by other ways is not kept.',
    patches: [
      {
        file: 'server/engine/signals/deliver-page.ts',
        find: 'if (delivered === 0) {',
        replace: 'if (delivered < 0) {',
      },
    ],
  },
  waits_for_ever: {
    about: 'The run timeout of a wait is forgotten.',
    patches: [
      {
        file: 'server/domain/signals/wait.ts',
        find: 'const dueTimeUs = earliest(nowUs + run.runTimeoutMs * 1000, run.limits.deadlineUs);',
        replace: 'const dueTimeUs = earliest(null, run.limits.deadlineUs);',
      },
    ],
  },
  second_decision_counts: {
    about: 'The second decision about an approval is answered as accepted.',
    patches: [
      {
        file: 'server/engine/signals/approvals.ts',
        find: 'if (!applied.repeated && !(applied.changed && job.state === state)) throw',
        replace: 'if (!applied.repeated && !applied.changed && !isTerminal(job.state)) throw',
      },
    ],
  },
  one_dependency_is_enough: {
    about: 'A job continues once the first of its dependencies is met.',
    patches: [
      {
        file: 'server/domain/dependencies/settle.ts',
        find: 'unmetDependencies === edges.length',
        replace: 'unmetDependencies >= edges.length',
      },
    ],
  },
  dependents_miss_a_cancel: {
    about: 'Jobs that depend on a cancelled job are not notified of its end.',
    patches: [
      {
        file: 'server/store/jobs/inbox/inbox-inserts.ts',
        find: 'FROM ended WHERE notifies_end',
        replace: `FROM ended WHERE notifies_end AND \${outcome} <> 11`,
      },
    ],
  },
  cancelled_has_not_ended: {
    about: 'A job that waits for the end of another one is skipped if that is cancelled.',
    patches: [
      {
        file: 'server/domain/dependencies/dependencies.ts',
        find: "case 'ENDED': return true;",
        replace: "case 'ENDED': return ending !== 'CANCELLED';",
      },
    ],
  },
  circle_is_accepted: {
    about: 'A circle is found, and made.',
    patches: [
      {
        file: 'server/engine/dependencies/dependencies.ts',
        find: 'if (cycle) throw cycle;',
        replace: "if (cycle && cycle.reason !== 'DEPENDENCY_CYCLE') throw cycle;",
      },
    ],
  },
  resumed_starts_at_once: {
    about: 'A job that is resumed forgets what it depends on.',
    patches: [
      {
        file: 'server/domain/jobs/pause.ts',
        find: 'if (run.unmetDependencies > 0) {',
        replace: 'if (run.unmetDependencies > 99) {',
      },
    ],
  },
  waits_for_one_child: {
    about: 'A handler that waits for several children continues after the first of them.',
    patches: [
      {
        file: 'server/engine/dependencies/suspensions.ts',
        find: 'open = await inner.dependencies.linkChildren(jobId, childIds);',
        replace: 'open = (await inner.dependencies.linkChildren(jobId, childIds)).slice(0, 1);',
      },
    ],
  },
  suspension_counts: {
    about: 'An attempt that ends since its handler waits for children, or was asked to stop, counts.',
    patches: [
      {
        file: 'server/domain/jobs/suspension.ts',
        find: "{ outcome: 'SUSPENDED', counted: false }",
        replace: "{ outcome: 'SUSPENDED', counted: true }",
      },
    ],
  },
  children_anew_in_each_run: {
    about: 'A handler that runs again submits its children again.',
    patches: [
      {
        file: 'sdk/typescript/src/worker/children.ts',
        find: `\`child/\${this.#parent.jobId}/\${key}\``,
        replace: `\`child/\${this.#parent.jobId}/\${this.#parent.attempt}/\${key}\``,
      },
    ],
  },
  children_outlive_their_parent: {
    about: 'Children that are open when their parent ends continue.',
    patches: [
      {
        file: 'server/store/jobs/inbox/dependency-entries.ts',
        find: `c.step = \${ATTACHED}`,
        replace: `c.step = 99 + \${ATTACHED}`,
      },
    ],
  },
  suspended_keeps_its_permit: {
    about: 'A job that waits for its children counts at the limit of its definition.',
    patches: [
      {
        file: 'server/store/dispatch/limit-use.ts',
        find: `AND k.state = \${ASSIGNED} OFFSET 0`,
        replace: `AND k.state IN (\${ASSIGNED}, 7) OFFSET 0`,
      },
      {
        file: 'server/store/dispatch/limit-use.ts',
        find: `AND state = \${ASSIGNED})`,
        replace: `AND state IN (\${ASSIGNED}, 7))`,
      },
    ],
  },
};
