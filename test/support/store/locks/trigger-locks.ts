/** Triggers: causes that are stored, triggers that advance, and changes of triggers. */
import type { ScheduleSpec } from '../../../../server/engine/ports/schedules.ts';
import type { Store } from '../../../../server/engine/ports/store.ts';
import type { StoreContext } from '../store-context.ts';
import { decideLast } from '../store-schedules.ts';
import { advance, allOf, applyTrigger, causeOf, makeTrigger, nearUs, signalOf } from '../store-triggers.ts';
import { groupOf, type LockedRows, type Operation, turned } from './locked-rows.ts';

interface TriggerRows {
  readonly specs: readonly ScheduleSpec[];
  readonly triggerIds: readonly string[];
}

const signals = [signalOf('paid'), signalOf('sent')];

const operations: Record<string, Operation<TriggerRows>> = {
  'cause and advance triggers': async (store, isReversed, { triggerIds }) => {
    await store.triggers.cause(turned(signals, isReversed));
    for (const _ of [1, 2]) for (const triggerId of turned(triggerIds, isReversed)) await advance(store, triggerId);
  },
  'drop causes that wait for triggers': async (store, isReversed, { triggerIds }) => {
    await store.triggers.cause(turned(signals, isReversed));
    for (const triggerId of turned(triggerIds, isReversed))
      await store.together(async ({ triggers }) => {
        if (await triggers.lock(triggerId, nearUs())) await triggers.trimNew(triggerId, 1, 1 << 20);
      });
  },
  'change triggers': async (store, isReversed, { specs }) => {
    for (const [i, spec] of turned([...specs.entries()], isReversed)) {
      const condition = allOf(causeOf('SIGNAL', 'paid'), causeOf('SIGNAL', `${i}-${isReversed}`));
      await apply(store, { ...spec, trigger: { condition, expireMs: 60_000 } });
      await store.schedules.delete(spec);
      await apply(store, spec);
    }
  },
};

/** Somebody else may delete it at the same time. */
async function apply({ schedules }: Store, spec: ScheduleSpec): Promise<void> {
  await schedules.apply(spec, '', crypto.randomUUID(), decideLast, nearUs());
}

async function makeRows(context: StoreContext, _: LockedRows): Promise<TriggerRows & { readonly reset: string }> {
  const condition = allOf(causeOf('SIGNAL', 'paid'), causeOf('SIGNAL', 'sent'), causeOf('JOB', 'd'));
  const specs = [1, 2].map(() => makeTrigger(condition));
  const triggerIds = specs.map(() => crypto.randomUUID()).sort();
  for (const [i, spec] of specs.entries()) await applyTrigger(context.store, spec, triggerIds[i]);
  await context.database.script(`
CREATE TABLE kept_triggers AS SELECT * FROM schedules WHERE kind = 2;
CREATE TABLE kept_sources AS SELECT * FROM trigger_sources`);
  const ids = triggerIds.map((id) => `'${id}'`).join(', ');
  const held = triggerIds.map(
    (id) => `('${id}', 2, (SELECT max(edition) FROM trigger_sources), muster_now(), '', muster_now() + interval '1 h')`,
  );
  const expired = held.map((row) => row.replace("'', muster_now() +", "'', muster_now() -").replace(', 2, ', ', 0, '));
  // Each trigger holds the end of a job, and a cause that has expired.
  const reset = `
DELETE FROM schedules WHERE kind = 2; DELETE FROM trigger_sources; DELETE FROM trigger_causes;
DELETE FROM schedule_runs WHERE schedule_id IN (${ids});
INSERT INTO schedules SELECT * FROM kept_triggers; INSERT INTO trigger_sources SELECT * FROM kept_sources;
INSERT INTO trigger_causes (trigger_id, number, edition, cause_time, key, expire_time) VALUES ${[...held, ...expired]};`;
  return { specs, triggerIds, reset };
}

export const triggerLocks = groupOf(operations, makeRows);
