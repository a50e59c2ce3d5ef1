/** Collects everything that is wrong with a request, field by field, so that one answer names it all. */
import { EngineError } from '../engine/errors.ts';

export interface Violation {
  /** Path of the field, such as `jobs[3].input.data`. */
  readonly field: string;
  readonly description: string;
}

/** A request with wrong fields. */
export class InvalidRequest extends EngineError {
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[]) {
    const [first] = violations;
    const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : '';
    super('INVALID_FIELD', `${first?.field} ${first?.description}${more}`, { field: first?.field ?? '' });
    this.violations = violations;
  }
}

const MAX_VIOLATIONS = 100;

export class Violations {
  #found: Violation[] = [];

  add(field: string, description: string): void {
    if (this.#found.length < MAX_VIOLATIONS) this.#found.push({ field, description });
  }

  /** Adds the violation unless `good`; returns `good`. */
  check(good: boolean, field: string, description: string): boolean {
    if (!good) this.add(field, description);
    return good;
  }

  throwIfAny(): void {
    if (this.#found.length > 0) throw new InvalidRequest(this.#found);
  }
}
