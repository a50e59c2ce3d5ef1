/** Collects all problems of a request, field by field, so that one answer reports them all. */
import { EngineError } from '../../engine/base/errors.ts';
import { cutText } from './cut-text.ts';

export interface Violation {
  /** Path of the field, such as `jobs[3].input.data`. */
  readonly field: string;
  readonly description: string;
}

/** A request with invalid fields. */
export class InvalidRequest extends EngineError {
  readonly violations: readonly Violation[];

  /** `total` includes violations that did not fit into the list. */
  constructor(violations: readonly Violation[], total = violations.length) {
    const [first] = violations;
    const more = total > 1 ? ` (and ${total - 1} more)` : '';
    super('INVALID_FIELD', `${first?.field} ${first?.description}${more}`, { field: first?.field ?? '' });
    this.violations = violations;
  }
}

/**
 * Maximum size of the list; further violations are only counted: errors are sent in trailers, of which many clients
 * accept 8 KiB.
 */
const MAX_BYTES = 2_048;
const MAX_FIELD = 128;
const MAX_DESCRIPTION = 256;

export class Violations {
  #found: Violation[] = [];
  #bytes = 0;
  #total = 0;

  add(field: string, description: string): void {
    this.#total++;
    if (this.#bytes >= MAX_BYTES) return;
    const violation = { field: cutText(field, MAX_FIELD), description: cutText(description, MAX_DESCRIPTION) };
    this.#bytes += Buffer.byteLength(violation.field) + Buffer.byteLength(violation.description);
    this.#found.push(violation);
  }

  /** Adds the violation if `good` is false; returns `good`. */
  check(good: boolean, field: string, description: string): boolean {
    if (!good) this.add(field, description);
    return good;
  }

  throwIfAny(): void {
    if (this.#total > 0) throw new InvalidRequest(this.#found, this.#total);
  }
}
