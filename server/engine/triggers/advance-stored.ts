/** Advances a stored trigger by its new causes, in one transaction. */
import {
  type Advance,
  advanceTrigger,
  type HeldCause,
  judgeCauses,
  type NewCause,
} from '../../domain/triggers/advance.ts';
import type { CauseJudge } from '../../domain/triggers/cause-expressions.ts';
import { causeValue, jsonText, withPayload } from '../../domain/triggers/cause-value.ts';
import { type Cause, causesOf } from '../../domain/triggers/condition.ts';
import { type CauseContent, inputOfFiring, payloadsLeftOut } from '../../domain/triggers/firing-input.ts';
import { derivedUuid } from '../base/derived-ids.ts';
import type { TriggerRules } from '../ports/schedules.ts';
import type { Store } from '../ports/store.ts';
import type { LockedTrigger, NewTriggerRun, ReadCause } from '../ports/triggers.ts';

/** Maximum causes that a trigger holds, and that wait for it, in rows and in bytes of payloads: the oldest are dropped. */
const MAX_HELD = 10_000;
const MAX_HELD_BYTES = 64 << 20;
/** Maximum runs that wait for their start, in rows and in bytes of inputs: new causes wait meanwhile. */
const MAX_WAITING = 1_000;
const MAX_WAITING_BYTES = 64 << 20;

export interface AdvanceParts {
  readonly judge: CauseJudge;
  /** Maximum size of an input, in bytes. */
  readonly maxInput: number;
  readonly ownUs: number;
}

export interface Advanced {
  /** There may be more new causes. */
  readonly isMore: boolean;
  readonly fired: number;
  /** Causes that were dropped, since there are too many. */
  readonly trimmed: number;
}

const nothing: Advanced = { isMore: false, fired: 0, trimmed: 0 };

export function advanceStored(
  store: Pick<Store, 'together'>,
  triggerId: string,
  parts: AdvanceParts,
): Promise<Advanced> {
  return store.together(async (tx) => {
    const locked = await tx.triggers.lock(triggerId, parts.ownUs);
    if (!locked) {
      if (!(await tx.triggers.exists(triggerId))) await tx.triggers.dropAllCauses(triggerId);
      return nothing;
    }
    const { paused, trigger } = locked.trigger;
    if (paused || !trigger) return nothing;
    const waiting = await tx.triggers.countWaiting(triggerId);
    if (waiting.runs >= MAX_WAITING || waiting.bytes >= MAX_WAITING_BYTES)
      return { ...nothing, trimmed: await tx.triggers.trimNew(triggerId, MAX_HELD, MAX_HELD_BYTES) };
    const found = await tx.triggers.readNew(triggerId);
    const maxFirings = MAX_WAITING - waiting.runs;
    return found.length === 0 ? nothing : advanceBy(tx, locked, trigger, found, { ...parts, maxFirings });
  });
}

async function advanceBy(
  tx: Store,
  locked: LockedTrigger,
  { condition, expireMs }: TriggerRules,
  found: readonly ReadCause[],
  { judge, maxInput, maxFirings }: AdvanceParts & { readonly maxFirings: number },
): Promise<Advanced> {
  const { scheduleId, rules } = locked.trigger;
  const causes = causesOf(condition);
  // Some may have expired while they waited for runs to start.
  const isPast = ({ isCurrent, timeUs }: ReadCause) => !isCurrent || timeUs + expireMs * 1_000 <= locked.nowUs;
  const past = found.filter(isPast);
  const current = found.filter((one) => !isPast(one));
  const judged = judgeCauses(
    condition,
    judge,
    current.map((one) => newCause(causes, one)),
  );
  const keys = [...new Set(judged.flatMap(({ key }) => key ?? []))];
  await tx.triggers.dropExpiredOf(scheduleId, keys, locked.nowUs);
  const advance = advanceTrigger(
    condition,
    judged,
    await tx.triggers.readHeld(scheduleId, keys, locked.nowUs),
    maxFirings,
  );
  const runs = await runsOf(tx, locked, causes, advance, found, maxInput);
  await tx.triggers.dropCauses([...advance.dropped, ...past.map(({ rowId }) => rowId)]);
  await tx.triggers.hold(advance.held, expireMs);
  await tx.triggers.insertRuns(scheduleId, rules.overlap, runs);
  await tx.triggers.markAdvanced(scheduleId, runs.length);
  const trimmed = advance.held.length > 0 ? await tx.triggers.trim(scheduleId, MAX_HELD, MAX_HELD_BYTES) : 0;
  return { isMore: true, fired: runs.length, trimmed };
}

function newCause(causes: readonly Cause[], stored: ReadCause): NewCause {
  const { rowId, number, timeUs, bytes, payload } = stored;
  const cause = causes[number] as Cause;
  const value = causeValue(cause, stored);
  const text = payload && jsonText(payload.data, payload.contentType);
  return { rowId, number, timeUs, bytes, value: cause.source === 'SIGNAL' ? withPayload(value, text) : value };
}

/** The id of a firing follows from the trigger, its key and its generation: it happens once. */
async function runsOf(
  tx: Store,
  { trigger, generation }: LockedTrigger,
  causes: readonly Cause[],
  { firings }: Advance,
  found: readonly ReadCause[],
  maxInput: number,
): Promise<NewTriggerRun[]> {
  const known = new Map(found.map((one) => [one.rowId, one]));
  const leftOut = new Set(firings.flatMap((firing) => [...payloadsLeftOut(firing, maxInput)]));
  const older = firings.flatMap((firing) => firing.causes.flatMap(({ rowId }) => (known.has(rowId) ? [] : rowId)));
  if (older.length > 0) for (const one of await tx.triggers.readCauses(older, [...leftOut])) known.set(one.rowId, one);
  const contentOf = ({ rowId, number }: HeldCause): CauseContent => {
    const stored = known.get(rowId) as ReadCause;
    const { payload } = stored;
    const text = payload && !leftOut.has(rowId) ? jsonText(payload.data, payload.contentType) : undefined;
    return { value: causeValue(causes[number] as Cause, stored), payload: text };
  };
  return firings.map((firing, i): NewTriggerRun => {
    const { key, timeUs } = firing;
    const id = `firing ${JSON.stringify([trigger.scheduleId, key, generation + i])}`;
    return {
      nominalUs: timeUs,
      causeId: derivedUuid(id),
      key,
      input: inputOfFiring(trigger.name, firing, contentOf, maxInput),
    };
  });
}
