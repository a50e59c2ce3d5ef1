/** Checks the steps that a call skips manually. */
import { checkText, STEP_NAME } from '../base/checks.ts';
import type { Violations } from '../base/violations.ts';

const MAX_REASON = 1_024;
/** Each skip is kept in the audit record. */
const MAX_SKIPPED = 100;

export function checkSkipped(name: string, field: string, violations: Violations): void {
  violations.check(
    STEP_NAME.test(name),
    field,
    'is not a step name; GetWorkflow and ListWorkflowSteps return the names',
  );
}

export function checkSkipReason(reason: string, violations: Violations): void {
  checkText(reason, MAX_REASON, 'reason', violations);
}

/** Steps that a retry must not run. */
export function checkSkipSteps(names: readonly string[], violations: Violations): void {
  const field = 'skip_steps';
  const fits = violations.check(
    names.length <= MAX_SKIPPED,
    field,
    `has ${names.length} names; at most ${MAX_SKIPPED} steps can be skipped by a retry`,
  );
  if (!fits) return;
  for (const [i, name] of names.entries()) {
    checkSkipped(name, `${field}[${i}]`, violations);
    const first = names.indexOf(name);
    violations.check(first === i, `${field}[${i}]`, `names the same step as ${field}[${first}]; name each once`);
  }
}
