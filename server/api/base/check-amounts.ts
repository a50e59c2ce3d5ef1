/**
 * Checks of amounts of resources. They are counted in whole thousandths: finer amounts would be rounded, and more could
 * be assigned than exists.
 */
import { LABEL_KEY, LABEL_KEY_RULE } from './checks.ts';
import { cutText } from './cut-text.ts';
import type { Violations } from './violations.ts';

/** At this size a double still distinguishes thousandths. */
const MAX_AMOUNT = 1e12;
const STEP = 0.001;
const MAX_RESOURCES = 16;

type Amounts = Readonly<Record<string, number>>;

/** Amounts that a session offers; zero is allowed. */
export function checkOffered(resources: Amounts, field: string, violations: Violations): void {
  checkAmounts(resources, 0, field, violations);
}

/** Amounts that a job takes. A resource that it does not need must be left out. */
export function checkDemanded(resources: Amounts, field: string, violations: Violations): void {
  checkAmounts(resources, STEP, field, violations);
}

function checkAmounts(resources: Amounts, min: number, field: string, violations: Violations): void {
  const entries = Object.entries(resources);
  violations.check(
    entries.length <= MAX_RESOURCES,
    field,
    `has ${entries.length} entries; at most ${MAX_RESOURCES} are allowed`,
  );
  for (const [name, amount] of entries.slice(0, MAX_RESOURCES)) {
    if (violations.check(LABEL_KEY.test(name), field, `has the name "${cutText(name, 80)}"; ${LABEL_KEY_RULE}`))
      checkAmount(amount, min, `${field}["${name}"]`, violations);
  }
}

export function checkAmount(amount: number, min: number, field: string, violations: Violations): void {
  violations.check(
    amount >= min && amount <= MAX_AMOUNT && Math.round(amount * 1_000) / 1_000 === amount,
    field,
    `is ${amount}; must be from ${min} to ${MAX_AMOUNT}, in steps of ${STEP}`,
  );
}
