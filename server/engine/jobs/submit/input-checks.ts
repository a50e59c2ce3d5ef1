/** Refuses submissions whose input does not fit the schema of its definition. */
import { EngineError } from '../../base/errors.ts';
import type { SchemaCheck, Schemas } from '../../ports/ports.ts';

/** An input with its schema. */
export interface InputCheck extends SchemaCheck {
  /** Path of the input in the request, such as `jobs[3].input`. */
  readonly field: string;
}

/** Errors travel in trailers, which are small. */
const MAX_NAMED = 8;

/** Throws INPUT_SCHEMA_VIOLATED, which names the inputs that do not fit. */
export async function refuseBadInputs(schemas: Schemas, checks: readonly InputCheck[]): Promise<void> {
  const faults = await schemas.validate(checks);
  const violations = checks.flatMap(({ field }, i) => {
    const description = faults[i];
    return description === undefined ? [] : [{ field, description }];
  });
  const [first] = violations;
  if (!first) return;
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : '';
  throw new EngineError('INPUT_SCHEMA_VIOLATED', `${first.field}: ${first.description}${more}`, {
    field: first.field,
    violations: violations.slice(0, MAX_NAMED),
  });
}
