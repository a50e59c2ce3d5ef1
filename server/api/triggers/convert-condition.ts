/** Converts conditions of triggers between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import {
  type JobCause,
  TriggerCauseSchema,
  TriggerConditionSchema,
  type TriggerCause as WireCause,
  type TriggerCondition as WireCondition,
} from '@muster-jobs/sdk/gen/muster/v1/trigger_pb';
import { isTerminal, type JobState, stateCodes } from '../../domain/jobs/job-state.ts';
import { compileCauseExpression } from '../../domain/triggers/cause-expressions.ts';
import { type Cause, type CauseSource, type Condition, causesOf } from '../../domain/triggers/condition.ts';
import { checkDottedName, checkName, durationMs, TEN_YEARS_MS } from '../base/checks.ts';
import { durationTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';
import { statesFrom } from '../jobs/convert-job-filter.ts';

const MAX_DEPTH = 8;
const MAX_NODES = 100;

/** What a wrong condition is replaced by; it is never used. */
const none: Condition = { kind: 'ANY_OF', conditions: [] };

/** Adds the violations of the condition; if there are any, the result must not be used. */
export function conditionFrom(wire: WireCondition | undefined, field: string, violations: Violations): Condition {
  if (!violations.check(wire !== undefined, field, 'is missing: say what starts a job')) return none;
  const nodes = { left: MAX_NODES };
  const condition = nodeFrom(wire as WireCondition, { field, depth: 1, nodes }, violations);
  violations.check(nodes.left >= 0, field, `has more than ${MAX_NODES} nodes`);
  const causes = causesOf(condition);
  const keyed = causes.filter(({ key }) => key !== '').length;
  violations.check(
    keyed === 0 || keyed === causes.length,
    field,
    'has causes with a key and causes without one: only causes of the same key belong together, so all need one, or none',
  );
  return condition;
}

interface Place {
  readonly field: string;
  readonly depth: number;
  /** How many more nodes the condition may have. */
  readonly nodes: { left: number };
}

function nodeFrom({ kind }: WireCondition, place: Place, violations: Violations): Condition {
  const { field, depth, nodes } = place;
  if (--nodes.left < 0) return none;
  if (!violations.check(depth <= MAX_DEPTH, field, `is nested more than ${MAX_DEPTH} deep`)) return none;
  violations.check(kind.case !== undefined, field, 'is empty: set all_of, any_of or cause');
  switch (kind.case) {
    case 'cause':
      return { kind: 'CAUSE', cause: causeFrom(kind.value, `${field}.cause`, violations) };
    case 'allOf': {
      const withinMs = durationMs(kind.value.within, 1, TEN_YEARS_MS, `${field}.all_of.within`, violations);
      const conditions = listFrom(kind.value.conditions, { ...place, field: `${field}.all_of` }, violations);
      return { kind: 'ALL_OF', conditions, ...(withinMs === undefined ? {} : { withinMs }) };
    }
    case 'anyOf':
      return {
        kind: 'ANY_OF',
        conditions: listFrom(kind.value.conditions, { ...place, field: `${field}.any_of` }, violations),
      };
    default:
      return none;
  }
}

function listFrom(list: readonly WireCondition[], { field, depth, nodes }: Place, violations: Violations): Condition[] {
  violations.check(list.length > 0, `${field}.conditions`, 'is empty');
  return list
    .slice(0, MAX_NODES)
    .map((one, i) => nodeFrom(one, { field: `${field}.conditions[${i}]`, depth: depth + 1, nodes }, violations));
}

function causeFrom({ on, filter, key }: WireCause, field: string, violations: Violations): Cause {
  checkExpression(filter, `${field}.filter`, violations);
  checkExpression(key, `${field}.key`, violations);
  violations.check(on.case !== undefined, field, 'is empty: set signal, asset, job or schedule');
  const expressions = { filter, key };
  switch (on.case) {
    case 'job':
      checkName(on.value.definition, `${field}.job.definition`, violations);
      return {
        source: 'JOB',
        name: on.value.definition,
        states: endStatesFrom(on.value, field, violations),
        ...expressions,
      };
    case 'signal':
      checkDottedName(on.value.name, `${field}.signal.name`, violations);
      return { source: 'SIGNAL', name: on.value.name, ...expressions };
    case 'asset':
      checkName(on.value.name, `${field}.asset.name`, violations);
      return { source: 'ASSET', name: on.value.name, ...expressions };
    default:
      if (on.case) checkName(on.value.name, `${field}.schedule.name`, violations);
      return { source: 'SCHEDULE', name: on.value?.name ?? '', ...expressions };
  }
}

function endStatesFrom({ states }: JobCause, field: string, violations: Violations): JobState[] {
  const found = statesFrom(states, `${field}.job.states`, violations);
  const open = found.find((state) => !isTerminal(state));
  violations.check(open === undefined, `${field}.job.states`, `has ${open}, which is no end state`);
  return found.length > 0 ? found : ['SUCCEEDED'];
}

function checkExpression(text: string, field: string, violations: Violations): void {
  if (text === '') return;
  const compiled = compileCauseExpression(text);
  if ('problem' in compiled) violations.add(field, compiled.problem);
}

export function conditionTo(condition: Condition): WireCondition {
  if (condition.kind === 'CAUSE')
    return create(TriggerConditionSchema, { kind: { case: 'cause', value: causeTo(condition.cause) } });
  const conditions = condition.conditions.map(conditionTo);
  if (condition.kind === 'ANY_OF')
    return create(TriggerConditionSchema, { kind: { case: 'anyOf', value: { conditions } } });
  const { withinMs } = condition;
  const within = withinMs === undefined ? {} : { within: durationTo(withinMs) };
  return create(TriggerConditionSchema, { kind: { case: 'allOf', value: { conditions, ...within } } });
}

const cases = { SIGNAL: 'signal', ASSET: 'asset', SCHEDULE: 'schedule' } as const satisfies Partial<
  Record<CauseSource, string>
>;

function causeTo({ source, name, states = [], filter, key }: Cause): WireCause {
  if (source !== 'JOB')
    return create(TriggerCauseSchema, { on: { case: cases[source], value: { name } }, filter, key });
  const job = { definition: name, states: states.map((state) => stateCodes[state]) };
  return create(TriggerCauseSchema, { on: { case: 'job', value: job }, filter, key });
}
