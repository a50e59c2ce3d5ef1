/** Triggers for store tests, and one call of each of their statements. */
import { CauseJudge } from '../../../server/domain/triggers/cause-expressions.ts';
import type { Cause, Condition } from '../../../server/domain/triggers/condition.ts';
import type { Schedule, ScheduleSpec } from '../../../server/engine/ports/schedules.ts';
import type { Store } from '../../../server/engine/ports/store.ts';
import type { NewHappening } from '../../../server/engine/ports/triggers.ts';
import { type Advanced, advanceStored } from '../../../server/engine/triggers/advance-stored.ts';
import { payload } from './store-fixtures.ts';
import { decideLast, makeSchedule } from './store-schedules.ts';

const noTimes = { crons: [], intervals: [], calendars: [], exclusions: [], timeZone: 'UTC' };

export function causeOf(source: Cause['source'], name: string, changes: Partial<Cause> = {}): Condition {
  const states = source === 'JOB' ? { states: ['SUCCEEDED'] as const } : {};
  return { kind: 'CAUSE', cause: { source, name, filter: '', key: '', ...states, ...changes } };
}

export const allOf = (...conditions: readonly Condition[]): Condition => ({ kind: 'ALL_OF', conditions });

/** With a unique name. */
export function makeTrigger(
  condition: Condition,
  changes: Partial<ScheduleSpec> = {},
  expireMs = 60_000,
): ScheduleSpec {
  const spec = makeSchedule({ kind: 'TRIGGER', trigger: { condition, expireMs }, ...changes });
  return { ...spec, rules: { ...spec.rules, times: noTimes, catchUp: 'NONE' } };
}

export const nearUs = () => Date.now() * 1_000;

export async function applyTrigger(
  store: Store,
  spec: ScheduleSpec,
  id: string = crypto.randomUUID(),
): Promise<Schedule> {
  const made = await store.schedules.apply(spec, '', id, decideLast, nearUs());
  if (made.kind !== 'done') throw new Error(`a trigger is not stored: ${made.kind}`);
  return made.schedule;
}

export function signalOf(name: string, text = '{}', changes: Partial<NewHappening> = {}): NewHappening {
  const content = { ...payload(text), contentType: 'application/json' };
  return { namespace: 'default', source: 'SIGNAL', name, signalKey: '', payload: content, ...changes };
}

export function advance(store: Store, triggerId: string): Promise<Advanced> {
  return advanceStored(store, triggerId, { judge: new CauseJudge(), maxInput: 512 << 10, ownUs: nearUs() });
}

export async function useTriggers(store: Store): Promise<void> {
  const { schedules, triggers } = store;
  const [paid, sent] = [`paid-${crypto.randomUUID()}`, `sent-${crypto.randomUUID()}`];
  const spec = makeTrigger(allOf(causeOf('SIGNAL', paid), causeOf('ASSET', sent), causeOf('JOB', 'd')));
  const { scheduleId } = await applyTrigger(store, spec);
  await triggers.cause([signalOf(paid)]);
  await triggers.causeByEnds([{ jobId: crypto.randomUUID(), laneId: 1, state: 'SUCCEEDED' }]);
  await triggers.findCaused(undefined, 10);
  await advance(store, scheduleId);
  await triggers.trimNew(scheduleId, 10, 1_000);
  await triggers.readProgress(scheduleId, undefined, 10);
  const other = makeTrigger(allOf(causeOf('SIGNAL', paid), causeOf('ASSET', sent)), { name: spec.name });
  await applyTrigger(store, other, scheduleId);
  await triggers.cause([signalOf(paid)]);
  await advance(store, scheduleId);
  const asset = { namespace: 'default', source: 'ASSET', name: sent, version: 1, jobId: crypto.randomUUID() } as const;
  await triggers.cause([asset]);
  await advance(store, scheduleId);
  const { runs } = await schedules.listRuns(scheduleId, undefined, 10);
  await schedules.readRunInputs(scheduleId, runs);
  await schedules.delete(spec);
  await advance(store, scheduleId);
}
