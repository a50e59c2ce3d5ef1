/** What holds in every snapshot of a deployment's database, each as a query for what breaks it. */
import { inboxKinds } from '../../domain/jobs/inbox.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import { stepStates } from '../../domain/workflows/step-state.ts';
import { gates } from '../dispatch/gated-lanes.ts';

export interface Rule {
  readonly name: string;
  readonly holds: string;
  /** Rows (subject, fault) that break the rule. */
  readonly query: string;
}

const { ASSIGNED, RUNNING, WAITING, CANCELLING } = stateCodes;
const CLOSED = 3;
const [JOB, STEP, ASSET] = [1, 2, 3];
const COMPENSATION = 4;

const hasEntry = (subject: string, kind: number) =>
  `EXISTS (SELECT FROM muster.job_inbox n WHERE n.subject_id = ${subject} AND n.kind = ${kind})`;

const hasEnded = (jobId: string) => `EXISTS (SELECT FROM muster.job_outcomes o WHERE o.job_id = ${jobId})`;

/** The schema is named: a session's search path may lack it. */
export const rules: readonly Rule[] = [
  {
    name: 'jobs',
    holds: 'each job is either open or has an outcome',
    query: `
SELECT 'job ' || j.job_id AS subject,
       CASE WHEN r.job_id IS NULL THEN 'is neither open nor ended: it is lost' ELSE 'is open, and has an outcome' END AS fault
FROM muster.jobs j LEFT JOIN muster.job_runs r ON r.job_id = j.job_id LEFT JOIN muster.job_outcomes o ON o.job_id = j.job_id
WHERE (r.job_id IS NULL) = (o.job_id IS NULL)`,
  },
  {
    name: 'records',
    holds: 'each open or ended job has its record',
    query: `
SELECT 'job ' || r.job_id AS subject, 'has no record' AS fault
FROM (SELECT job_id FROM muster.job_runs UNION ALL SELECT job_id FROM muster.job_outcomes) AS r
LEFT JOIN muster.jobs j ON j.job_id = r.job_id WHERE j.job_id IS NULL`,
  },
  {
    name: 'counts',
    holds: "the counts of open jobs by lane and state are those of the jobs' rows",
    // A workflow or a batch that is CANCELLING is held by no session: it waits on for what it is made of.
    query: `
SELECT 'lane ' || lane_id || ', state ' || state AS subject,
       'has ' || coalesce(counted.jobs, 0) || ' jobs, and its count is ' || coalesce(kept.jobs, 0) AS fault
FROM (
  SELECT lane_id, state, sum(jobs) AS jobs FROM (
    SELECT lane_id, state, jobs FROM muster.lane_counts UNION ALL SELECT lane_id, state, jobs FROM muster.lane_count_changes
  ) AS parts GROUP BY lane_id, state
) AS kept
FULL JOIN (
  SELECT lane_id, CASE WHEN state = ${CANCELLING} AND session_id IS NULL THEN ${WAITING}
                       WHEN state IN (${ASSIGNED}, ${RUNNING}, ${CANCELLING}) THEN ${ASSIGNED} ELSE state END AS state, count(*) AS jobs
  FROM muster.job_runs GROUP BY 1, 2
) AS counted USING (lane_id, state)
WHERE coalesce(kept.jobs, 0) <> coalesce(counted.jobs, 0)`,
  },
  {
    name: 'sessions',
    holds: 'each job that a worker has belongs to a session that is not closed',
    query: `
SELECT 'job ' || r.job_id AS subject,
       'is held by session ' || r.session_id || ', which ' || CASE WHEN s.session_id IS NULL THEN 'is gone' ELSE 'is closed' END AS fault
FROM muster.job_runs r LEFT JOIN muster.sessions s ON s.session_id = r.session_id
WHERE r.session_id IS NOT NULL AND coalesce(s.state, ${CLOSED}) = ${CLOSED}`,
  },
  {
    name: 'dependencies',
    holds: 'each open job counts its unmet dependencies',
    query: `
SELECT 'job ' || r.job_id AS subject, 'has ' || coalesce(d.edges, 0) || ' unmet dependencies, and counts ' || r.unmet_dependencies AS fault
FROM muster.job_runs r
LEFT JOIN (SELECT job_id, count(*) AS edges FROM muster.job_dependencies GROUP BY job_id) AS d ON d.job_id = r.job_id
WHERE coalesce(d.edges, 0) <> r.unmet_dependencies
UNION ALL
SELECT 'job ' || d.job_id, 'is not open, and has dependencies'
FROM (SELECT DISTINCT job_id FROM muster.job_dependencies) AS d LEFT JOIN muster.job_runs r ON r.job_id = d.job_id
WHERE r.job_id IS NULL`,
  },
  {
    name: 'settlement',
    holds: 'a dependency whose target has ended, or was published, has an inbox entry that settles it',
    query: `
SELECT 'job ' || d.job_id AS subject, 'waits for ' || coalesce(d.name, 'job ' || d.target_id) || ', which has happened' AS fault
FROM muster.job_dependencies d
WHERE (d.kind = ${JOB} AND ${hasEnded('d.target_id')} AND NOT ${hasEntry('d.target_id', inboxKinds.JOB_ENDED)})
   OR (d.kind = ${STEP} AND ${hasEnded('d.workflow_job_id')} AND NOT ${hasEntry('d.workflow_job_id', inboxKinds.JOB_ENDED)})
   OR (d.kind = ${STEP} AND NOT ${hasEnded('d.workflow_job_id')} AND NOT ${hasEntry('d.target_id', inboxKinds.STEP_ENDED)} AND EXISTS (
        SELECT FROM muster.workflow_steps s
        WHERE s.job_id = d.workflow_job_id AND s.step = d.step AND s.state > ${stepStates.RUNNING}
      ))
   OR (d.kind = ${ASSET} AND NOT ${hasEntry('d.target_id', inboxKinds.ASSET_PUBLISHED)} AND EXISTS (
        SELECT FROM muster.assets a WHERE a.asset_id = d.target_id AND a.publish_time > d.after_time
      ))`,
  },
  {
    name: 'workflows',
    holds: 'each open workflow counts its running steps',
    query: `
SELECT 'job ' || w.job_id AS subject, 'has ' || steps.running || ' running steps, and counts ' || w.running AS fault
FROM muster.workflow_runs w JOIN muster.job_runs r ON r.job_id = w.job_id
CROSS JOIN LATERAL (
  SELECT CASE WHEN w.phase = ${COMPENSATION}
              THEN (SELECT count(*) FROM muster.step_compensations c WHERE c.job_id = w.job_id AND c.state = ${stepStates.RUNNING})
              ELSE (SELECT count(*) FROM muster.workflow_steps s WHERE s.job_id = w.job_id AND s.state = ${stepStates.RUNNING}) END AS running
) AS steps
WHERE steps.running <> w.running`,
  },
  {
    name: 'batches',
    holds: 'each open batch counts its members, and no more ends than it has members',
    query: `
SELECT 'batch ' || b.job_id AS subject,
       'has ' || own.members || ' members, counts ' || b.members || ', and ' || own.ended || ' ends' AS fault
FROM muster.batches b JOIN muster.job_runs r ON r.job_id = b.job_id
CROSS JOIN LATERAL (
  SELECT (SELECT count(*) FROM muster.jobs j WHERE j.parent_job_id = b.job_id AND j.item IS NOT NULL) AS members,
         (SELECT coalesce(sum(succeeded + failed + cancelled + expired + skipped), 0)
          FROM muster.batch_counts c WHERE c.job_id = b.job_id) AS ended
) AS own
WHERE own.members <> b.members OR own.ended > own.members`,
  },
  {
    name: 'queues',
    holds: 'the lanes of a queue are closed while it is paused, except those of clean-ups',
    query: `
SELECT 'lane ' || l.lane_id || ' of queue ' || l.namespace || '/' || l.queue AS subject,
       CASE WHEN coalesce(q.paused, false) THEN 'is open, and the queue is paused' ELSE 'is closed, and the queue is not paused' END AS fault
FROM muster.lanes l LEFT JOIN muster.queues q ON q.namespace = l.namespace AND q.name = l.queue AND q.delete_time IS NULL
WHERE (l.gates & ${gates.queuePaused} <> 0) <> (coalesce(q.paused, false) AND NOT l.cleanup)`,
  },
  {
    name: 'limits',
    holds: 'jobs deferred at the limit of their key are in its lane, and no others',
    query: `
SELECT 'job ' || r.job_id AS subject, 'is in lane ' || r.lane_id || ' of deferred jobs, and is not deferred' AS fault
FROM muster.job_runs r JOIN muster.lanes l ON l.lane_id = r.lane_id
WHERE l.at_limit AND r.limit_id IS NULL`,
  },
  {
    name: 'signals',
    holds: 'each wait for a signal belongs to an open job',
    query: `
SELECT 'job ' || w.job_id AS subject, 'waits for signal ' || w.name || ', and is not open' AS fault
FROM muster.signal_waits w LEFT JOIN muster.job_runs r ON r.job_id = w.job_id WHERE r.job_id IS NULL`,
  },
];
