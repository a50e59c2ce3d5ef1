/** Queues, definitions and lanes that are made, changed and deleted. */
import { decideCancel } from '../../../../server/domain/jobs/decide.ts';
import type { StoreContext } from '../store-context.ts';
import { bytes, makeCall, makeDefinition, makeJob, makeLane } from '../store-fixtures.ts';
import { groupOf, type LockedRows, type Operation, turned } from './locked-rows.ts';

interface SettingsRows {
  readonly queues: readonly { readonly namespace: string; readonly name: string }[];
  /** A lane of each queue. */
  readonly queueLaneIds: readonly number[];
  readonly definitions: readonly string[];
}

const laneKey = { namespace: 'default', definitionVersion: 1, demands: '', suspect: false };

const operations: Record<string, Operation<SettingsRows>> = {
  'make, change and delete queues': async (store, isReversed, { queues, keys }) => {
    const made = keys.slice(0, 2).map((name) => ({ namespace: 'default', name }));
    for (const queue of turned([...queues, ...made], isReversed)) {
      await store.queues.create(queue, {});
      await store.queues.update(queue, { settings: { description: 'd', maxBacklog: isReversed ? 5 : 6 }, etag: '' });
      await store.queues.delete(queue);
    }
  },
  'revive queues': async (store, isReversed, { queues, queueLaneIds }) => {
    for (const queue of turned(queues, isReversed)) await store.queues.delete(queue);
    const jobs = turned(queueLaneIds, isReversed).map((laneId) => makeJob(laneId));
    await store.submit([makeCall(jobs)]);
    await store.queues.list('default', '', 100);
    const jobIds = jobs.map(({ jobId }) => jobId);
    await store.change({ by: 'jobs', namespace: 'default', jobIds }, (run, nowUs) =>
      decideCancel(run, '', 1, { nowUs, random: 0.5 }),
    );
  },
  'archive and apply definitions': async (store, isReversed, { definitions }) => {
    for (const name of turned(definitions, isReversed)) {
      await store.archiveDefinition('default', name);
      const retention = isReversed ? {} : { retentionMs: 60_000 };
      await store.applyDefinition(makeDefinition(name, retention), bytes(crypto.randomUUID()), false);
      await store.setRetention('default', isReversed ? undefined : 60_000);
    }
  },
  // Sorted by queue, as the engine does for the first jobs of several lanes.
  'make lanes and submit': (store, isReversed, { queues, definitions, keys }) =>
    store.together(async (inner) => {
      const jobs = [];
      for (const { name: queue } of queues)
        for (const definition of turned([...definitions, ...keys.slice(0, 2)], isReversed))
          jobs.push(makeJob(await inner.ensureLane({ ...laneKey, queue, definition }, isReversed ? 'a' : undefined)));
      await inner.submit([makeCall(jobs)]);
    }),
  'name breakers of lanes': async (store, isReversed, { definitions }) => {
    for (const definition of turned(definitions, isReversed))
      await store.ensureLane({ ...laneKey, queue: 'default', definition }, isReversed ? 'a' : 'b');
  },
};

async function makeRows(context: StoreContext, _: LockedRows): Promise<SettingsRows & { readonly reset: string }> {
  const queues = ['first', 'second'].map((name) => ({ namespace: 'default', name }));
  const definitions = ['defined-1', 'defined-2'];
  for (const name of definitions) await context.store.applyDefinition(makeDefinition(name), bytes(name), false);
  const lanes = queues.map(({ name }) => makeLane(context, { queue: name }));
  for (const definition of definitions) await makeLane(context, { definition });
  const reset = `
DELETE FROM job_definitions WHERE version > 1; DELETE FROM rollouts; DELETE FROM archived_definitions; DELETE FROM retentions;
DELETE FROM lane_counts; DELETE FROM lane_count_changes;`;
  return { queues, queueLaneIds: await Promise.all(lanes), definitions, reset };
}

export const settingsLocks = groupOf(operations, makeRows);
