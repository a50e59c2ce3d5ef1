/** Converts a definition's submission rules between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import type { JobDefinition as WireDefinition } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import {
  DebounceSchema,
  ThrottleSchema,
  UniquenessSchema,
  type Debounce as WireDebounce,
  DuplicatePolicy as WirePolicy,
  type Throttle as WireThrottle,
  type Uniqueness as WireUniqueness,
} from '@muster-jobs/sdk/gen/muster/v1/submission_rule_pb';
import { partsOf } from '../../domain/jobs/input-key.ts';
import { stateCodes, stateOf } from '../../domain/jobs/job-state.ts';
import {
  blockingStates,
  type Debounce,
  type DuplicatePolicy,
  missingStates,
  type SubmissionRules,
  type Throttle,
  type Uniqueness,
} from '../../domain/jobs/submission-rule.ts';
import { checkText, durationMs, isKnown, TEN_YEARS_MS, THIRTY_DAYS_MS } from '../base/checks.ts';
import { durationTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
const MAX_FIELDS = 16;
/** Default of a debounce's maximum delay of the first job, in waits. */
const WAITS = 10;

/**
 * At most one rule is allowed: their combinations have no clear meaning, such as a duplicate that extends another job's
 * wait.
 */
export function submissionRulesFrom(wire: WireDefinition, violations: Violations): SubmissionRules {
  const { uniqueness, debounce, throttle } = wire;
  const given = Object.entries({ uniqueness, debounce, throttle }).flatMap(([name, rule]) => (rule ? [name] : []));
  for (const name of given.slice(1))
    violations.add(`definition.${name}`, `is set together with ${given[0]}; a definition may have one of the two`);
  return {
    ...(uniqueness ? { uniqueness: uniquenessFrom(uniqueness, 'definition.uniqueness', violations) } : {}),
    ...(debounce ? { debounce: debounceFrom(debounce, 'definition.debounce', violations) } : {}),
    ...(throttle ? { throttle: throttleFrom(throttle, 'definition.throttle', violations) } : {}),
  };
}

export function submissionRulesTo({
  uniqueness,
  debounce,
  throttle,
}: SubmissionRules): Partial<Pick<WireDefinition, keyof SubmissionRules>> {
  return {
    ...(uniqueness ? { uniqueness: uniquenessTo(uniqueness) } : {}),
    ...(debounce ? { debounce: debounceTo(debounce) } : {}),
    ...(throttle ? { throttle: throttleTo(throttle) } : {}),
  };
}

function uniquenessFrom(wire: WireUniqueness, field: string, violations: Violations): Uniqueness {
  const { byInput, fields, byQueue } = wire;
  checkFields(fields, field, violations);
  violations.check(
    !byInput || fields.length === 0,
    `${field}.fields`,
    'is set together with by_input, which has the whole input in the key already',
  );
  const periodMs = durationMs(wire.period, SECOND_MS, TEN_YEARS_MS, `${field}.period`, violations);
  return {
    byInput,
    fields,
    ...(periodMs === undefined ? {} : { periodMs }),
    byQueue,
    states: statesFrom(wire, field, violations),
    policy: policyFrom(wire, field, violations),
  };
}

function uniquenessTo({ byInput, fields, periodMs, byQueue, states, policy }: Uniqueness): WireUniqueness {
  return create(UniquenessSchema, {
    byInput,
    fields: [...fields],
    ...(periodMs === undefined ? {} : { period: durationTo(periodMs) }),
    byQueue,
    states: states.map((state) => stateCodes[state]),
    duplicatePolicy: WirePolicy[policy],
  });
}

function debounceFrom(wire: WireDebounce, field: string, violations: Violations): Debounce {
  checkFields(wire.fields, field, violations);
  violations.check(wire.wait !== undefined, `${field}.wait`, 'is missing: set how long a job waits for the next one');
  const waitMs = durationMs(wire.wait, 1, DAY_MS, `${field}.wait`, violations) ?? 1;
  const maxWaitMs = durationMs(wire.maxWait, waitMs, WAITS * DAY_MS, `${field}.max_wait`, violations) ?? WAITS * waitMs;
  return { fields: wire.fields, waitMs, maxWaitMs };
}

function debounceTo({ fields, waitMs, maxWaitMs }: Debounce): WireDebounce {
  return create(DebounceSchema, { fields: [...fields], wait: durationTo(waitMs), maxWait: durationTo(maxWaitMs) });
}

function throttleFrom(wire: WireThrottle, field: string, violations: Violations): Throttle {
  checkFields(wire.fields, field, violations);
  violations.check(
    wire.period !== undefined,
    `${field}.period`,
    'is missing: set the time within which one job is accepted',
  );
  const periodMs = durationMs(wire.period, SECOND_MS, THIRTY_DAYS_MS, `${field}.period`, violations) ?? SECOND_MS;
  return { fields: wire.fields, periodMs, policy: policyFrom(wire, field, violations) };
}

function throttleTo({ fields, periodMs, policy }: Throttle): WireThrottle {
  return create(ThrottleSchema, {
    fields: [...fields],
    period: durationTo(periodMs),
    duplicatePolicy: WirePolicy[policy],
  });
}

function checkFields(fields: readonly string[], rule: string, violations: Violations): void {
  const field = `${rule}.fields`;
  violations.check(
    fields.length <= MAX_FIELDS,
    field,
    `has ${fields.length} entries; at most ${MAX_FIELDS} are allowed`,
  );
  for (const [i, path] of fields.slice(0, MAX_FIELDS).entries()) {
    checkText(path, 256, `${field}[${i}]`, violations);
    violations.check(
      partsOf(path).every((part) => part !== ''),
      `${field}[${i}]`,
      'must be names with dots between them, such as "order.id"',
    );
    violations.check(fields.indexOf(path) === i, `${field}[${i}]`, `is the same as ${field}[${fields.indexOf(path)}]`);
  }
}

function statesFrom({ states }: WireUniqueness, field: string, violations: Violations): Uniqueness['states'] {
  const codes: readonly number[] = Object.values(stateCodes);
  const unknown = states.find((state) => !codes.includes(state));
  if (unknown !== undefined) {
    violations.add(`${field}.states`, `has the unknown value ${unknown}`);
    return blockingStates([]);
  }
  const given = blockingStates(states.map(stateOf));
  const missing = missingStates(given);
  violations.check(
    missing.length === 0,
    `${field}.states`,
    `lacks ${missing.join(', ')}; a job in such a state always blocks another one with its key`,
  );
  return given;
}

function policyFrom(
  { duplicatePolicy }: WireUniqueness | WireThrottle,
  field: string,
  violations: Violations,
): DuplicatePolicy {
  violations.check(
    isKnown(WirePolicy, duplicatePolicy),
    `${field}.duplicate_policy`,
    `has the unknown value ${duplicatePolicy}`,
  );
  return duplicatePolicy === WirePolicy.REJECT ? 'REJECT' : 'USE_EXISTING';
}
