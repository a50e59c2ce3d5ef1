/** Dependency targets of jobs, kept with their records for their traces: edges are deleted once they are met. */
import { type LinkedDependency, tracedTargetsOf } from '../../domain/dependencies/links.ts';
import { MAX_LINKS, type TracedTarget } from '../../domain/events/job-spans.ts';
import type { TakenEdge } from '../../engine/ports/dependencies.ts';
import { inputTable } from '../base/input-table.ts';
import { sameKey } from '../base/same-key.ts';
import type { Session } from '../driver/database.ts';

/** As stored. */
interface StoredTarget {
  readonly job: string;
  readonly step?: number | undefined;
}

export function storedTargets(targets: readonly TracedTarget[]): readonly StoredTarget[] {
  return targets.map(({ jobId, step }) => ({ job: jobId, step }));
}

/** `stored`: the column `depends_on`. */
export function tracedTargets(stored: unknown): TracedTarget[] {
  return ((stored ?? []) as readonly StoredTarget[]).map(({ job, step }) => ({ jobId: job, step }));
}

const hasCapacity = `coalesce(jsonb_array_length(j.depends_on), 0) < ${MAX_LINKS}`;

const addSome = {
  name: 'add_traced_targets',
  text: `UPDATE jobs j SET depends_on = coalesce(j.depends_on, '[]') || $2::jsonb WHERE j.job_id = $1 AND ${hasCapacity}`,
};

/** Adds targets of a job that waits already. */
export async function keepTargets(session: Session, jobId: string, links: readonly LinkedDependency[]): Promise<void> {
  const targets = tracedTargetsOf(links);
  if (targets) await session.run(addSome, [jobId, JSON.stringify(storedTargets(targets))]);
}

const addPublishers = {
  name: 'add_traced_publishers',
  text: `
WITH published AS MATERIALIZED (
  SELECT i.job_id, jsonb_agg(DISTINCT jsonb_build_object('job', a.job_id)) AS targets
  FROM ${inputTable({ job_id: 'uuid', asset_id: 'uuid' }, 'i')}
  CROSS JOIN LATERAL (SELECT job_id FROM assets WHERE assets.asset_id = i.asset_id AND job_id IS NOT NULL OFFSET 0) AS a
  GROUP BY i.job_id
)
UPDATE jobs j SET depends_on = coalesce(j.depends_on, '[]') || p.targets
FROM published p WHERE ${sameKey('j.job_id', 'p.job_id')} AND ${hasCapacity}`,
};

/** For assets published since: keeps the last job that published each. */
export async function keepPublishers(session: Session, edges: readonly TakenEdge[]): Promise<void> {
  const met = edges.filter(({ on }) => on.kind === 'ASSET');
  if (met.length > 0)
    await session.run(addPublishers, [met.map(({ jobId }) => jobId), met.map(({ targetId }) => targetId)]);
}
