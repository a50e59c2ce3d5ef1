/** Converts fan-outs of steps between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import {
  FanOutSchema,
  SuccessRuleSchema,
  type FanOut as WireFanOut,
  type SuccessRule as WireRule,
} from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { countIn, indexesText, parseIndexes } from '../../domain/workflows/success-indexes.ts';
import { type FanOut, MAX_ITEMS, type SuccessRule } from '../../domain/workflows/workflow.ts';
import { checkRange } from '../base/checks.ts';
import type { Violations } from '../base/violations.ts';

const MAX_RULES = 20;

export function fanOutFrom(wire: WireFanOut, field: string, violations: Violations): FanOut {
  const { items, maxParallel, maxFailed, successPolicy } = wire;
  checkRange(maxParallel, 0, MAX_ITEMS, `${field}.max_parallel`, violations);
  if (maxFailed !== undefined) checkRange(maxFailed, 0, MAX_ITEMS, `${field}.max_failed`, violations);
  violations.check(
    successPolicy.length <= MAX_RULES,
    `${field}.success_policy`,
    `has ${successPolicy.length} entries; at most ${MAX_RULES} are allowed`,
  );
  const rules = successPolicy
    .slice(0, MAX_RULES)
    .map((rule, i) => ruleFrom(rule, `${field}.success_policy[${i}]`, violations));
  return {
    items,
    ...(maxParallel === 0 ? {} : { maxParallel }),
    ...(maxFailed === undefined ? {} : { maxFailed }),
    ...(rules.length > 0 ? { successPolicy: rules } : {}),
  };
}

function ruleFrom({ indexes, count }: WireRule, field: string, violations: Violations): SuccessRule {
  checkRange(count, 0, MAX_ITEMS, `${field}.count`, violations);
  const counted = count === 0 ? {} : { count };
  if (indexes === '') return counted;
  const spans = parseIndexes(indexes);
  if ('problem' in spans) {
    violations.add(`${field}.indexes`, spans.problem);
    return counted;
  }
  const places = countIn(spans);
  violations.check(
    count <= places,
    `${field}.count`,
    `is ${count}, but indexes has only ${places}: the rule could never hold`,
  );
  return { indexes: spans, ...counted };
}

export function fanOutTo({ items, maxParallel, maxFailed, successPolicy = [] }: FanOut): WireFanOut {
  return create(FanOutSchema, {
    items,
    maxParallel: maxParallel ?? 0,
    ...(maxFailed === undefined ? {} : { maxFailed }),
    successPolicy: successPolicy.map(({ indexes, count }) =>
      create(SuccessRuleSchema, { indexes: indexes ? indexesText(indexes) : '', count: count ?? 0 }),
    ),
  });
}
