/** Dependencies on jobs and assets, and children that handlers submit and wait for. */
import { decideSuspend } from '../../../../server/domain/dependencies/children.ts';
import { type Dependency, decideBlock, decideUnblock } from '../../../../server/domain/dependencies/dependencies.ts';
import { decideCancel } from '../../../../server/domain/jobs/decide.ts';
import type { Store } from '../../../../server/engine/ports/store.ts';
import { assetIdOf } from '../../../../server/store/base/target-ids.ts';
import type { StoreContext } from '../store-context.ts';
import { makeCall, makeJob, submitMany } from '../store-fixtures.ts';
import { groupOf, type LockedRows, type Operation, openAgain, quoted, turned } from './locked-rows.ts';

interface DependencyRows {
  /** BLOCKED jobs, each with dependencies on jobs that others depend on too, and on an asset. */
  readonly dependents: readonly string[];
  readonly assets: readonly string[];
}

const moment = (nowUs: number) => ({ nowUs, random: 0.5 });
const onJobs = (jobIds: readonly string[]): Dependency[] =>
  jobIds.map((jobId) => ({ on: { kind: 'JOB', jobId }, condition: 'ENDED' }));
const onAssets = (names: readonly string[]): Dependency[] =>
  names.map((name) => ({ on: { kind: 'ASSET', name }, condition: 'SUCCEEDED' }));

async function addEdges(store: Store, jobId: string, wanted: readonly Dependency[]): Promise<void> {
  const { dependencies, change } = store;
  await dependencies.lockEdges('default');
  const { links } = await dependencies.link('default', jobId, wanted);
  const linked = links.flatMap((link) => link ?? []);
  const changed = await change({ by: 'jobs', namespace: 'default', jobIds: [jobId] }, (run, nowUs) => {
    const blocked = decideBlock(run, moment(nowUs));
    return blocked === 'NOT_WAITING' ? undefined : blocked;
  });
  const open = linked.flatMap(({ dependency, ending }) => (ending ? [] : [dependency]));
  if (changed[0]?.kind === 'continue') await dependencies.addEdges('default', jobId, open);
  await dependencies.keepTargets(jobId, linked);
}

const operations: Record<string, Operation<DependencyRows>> = {
  'add dependencies': async (store, isReversed, { dependents, waitingJobs, jobIds, assets, keys }) => {
    const wanted = turned([...onJobs(jobIds.slice(0, 6)), ...onAssets([...assets, ...keys.slice(0, 3)])], isReversed);
    for (const jobId of turned([...dependents.slice(0, 2), ...waitingJobs.slice(0, 2)], isReversed))
      await store.together((inner) => addEdges(inner, jobId, wanted));
  },
  'submit jobs that depend on others': (store, isReversed, { laneId, jobIds, assets, keys }) => {
    const dependencies = turned([...onJobs(jobIds), ...onAssets([...assets, ...keys.slice(0, 3)])], isReversed);
    const jobs = [0, 1].map(() => makeJob(laneId, { dependencies, runTimeUs: 4e15 }));
    return store.submit([makeCall(jobs, { isDependent: true })]);
  },
  // As releases do: they take the ends, change the dependents, and publish the assets of jobs that succeeded.
  'release dependents': (store, isReversed, { assets, jobIds }) =>
    store.together(async ({ inbox, dependencies, change }) => {
      const { settled } = await inbox.takeEnds();
      const released = settled.map(({ jobId }) => jobId);
      await change({ by: 'jobs', namespace: 'default', jobIds: turned(released, isReversed) }, (run, nowUs) =>
        decideUnblock(run, moment(nowUs)),
      );
      const published = { namespace: 'default', jobId: jobIds[0] as string, timeUs: 4e15 };
      await dependencies.publish(turned(assets, isReversed).map((name) => ({ ...published, name })));
    }),
  'submit children': (store, isReversed, { held, laneIds }) =>
    store.submit(
      turned(held.slice(0, 6), isReversed).map((key) =>
        makeCall(
          turned(laneIds, isReversed).map((laneId) => makeJob(laneId)),
          { parentAttempt: { ...key, detached: isReversed } },
        ),
      ),
    ),
  'suspend attempts for children': async (store, isReversed, { held, jobIds }) => {
    for (const key of turned(held, isReversed).slice(0, 6))
      await store.together(async ({ dependencies, change }) => {
        const others = turned(jobIds, isReversed).filter((jobId) => jobId !== key.jobId);
        const open = await dependencies.linkChildren(key.jobId, others);
        const [changed] = await change({ by: 'attempts', attempts: [key] }, (run, nowUs) =>
          decideSuspend(run, others.length, moment(nowUs)),
        );
        if (changed?.kind === 'continue') await dependencies.addEdges('', key.jobId, onJobs(open));
      });
  },
  'cancel dependents': (store, isReversed, { dependents, jobIds }) =>
    store.change(
      { by: 'jobs', namespace: 'default', jobIds: turned([...dependents, ...jobIds], isReversed) },
      (run, nowUs) => decideCancel(run, '', 1, moment(nowUs)),
    ),
};

async function makeRows(
  context: StoreContext,
  { laneId, jobIds, held, waitingJobs }: LockedRows,
): Promise<DependencyRows & { readonly reset: string }> {
  const dependents = (await submitMany(context, laneId, 6)).sort();
  const assets = ['c', 'a', 'b'];
  const targets = jobIds.slice(0, 6);
  const assetIds = assets.map((name) => assetIdOf('default', name));
  const stored = assets.map((name, i) => `('${assetIds[i]}', 'default', '${name}', '${jobIds[0]}')`);
  const reset = `${openAgain(dependents.map((jobId) => ({ jobId, laneId, state: 1 })))}
UPDATE job_runs SET unmet_dependencies = 7 WHERE job_id IN (${quoted(dependents)});
UPDATE job_runs SET parent_job_id = '${held[0]?.jobId}', step = -1 WHERE job_id IN (${quoted(jobIds.slice(12))});
UPDATE job_runs SET notifies_end = true WHERE job_id IN (${quoted(targets)});
UPDATE jobs SET depends_on = NULL WHERE job_id IN (${quoted([...dependents, ...waitingJobs])});
INSERT INTO job_dependencies (job_id, number, target_id, kind, condition)
SELECT d, n, t, 1, 2 FROM unnest(ARRAY[${quoted(dependents)}]::uuid[]) AS d,
  unnest(ARRAY[${quoted(targets)}]::uuid[]) WITH ORDINALITY AS i (t, n);
INSERT INTO job_dependencies (job_id, number, target_id, kind, condition, name)
SELECT d, 9, '${assetIds[1]}', 3, 1, 'a' FROM unnest(ARRAY[${quoted(dependents)}]::uuid[]) AS d;
INSERT INTO job_inbox (subject_id, kind, state, lane_id, entry_time)
SELECT job_id, 9, 9, lane_id, muster_now() FROM job_runs WHERE job_id IN (${quoted(targets)}) ORDER BY job_id;
INSERT INTO job_inbox (subject_id, kind, entry_time) VALUES ('${assetIds[1]}', 11, muster_now());
INSERT INTO assets (asset_id, namespace, name, job_id) VALUES ${stored.join(', ')}
ON CONFLICT (asset_id) DO UPDATE SET publish_time = NULL;`;
  return { dependents, assets, reset };
}

export const dependencyLocks = groupOf(operations, makeRows);
