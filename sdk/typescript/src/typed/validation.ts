/** Checks values with Standard Schemas. */
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** Maximum number of issues that a message lists. */
const MAX_ISSUES = 20;

type Schema = StandardSchemaV1 | undefined;
type Result = StandardSchemaV1.Result<unknown>;

/** The result of the schema. Only an asynchronous schema gives a promise. `undefined`: any value is valid. */
export function check(schema: Schema, value: unknown): Result | Promise<Result> {
  return schema === undefined ? { value } : schema['~standard'].validate(value);
}

/** Lists path and message of each issue, such as `pages[2].width: expected number`. */
export function issuesText(issues: readonly StandardSchemaV1.Issue[]): string {
  const listed = issues.slice(0, MAX_ISSUES).map(issueText);
  const more = issues.length - listed.length;
  return `${listed.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

function issueText({ path = [], message }: StandardSchemaV1.Issue): string {
  const where = path.map((part) => keyText(typeof part === 'object' ? part.key : part)).join('');
  return where === '' ? message : `${where.replace(/^\./, '')}: ${message}`;
}

function keyText(key: PropertyKey): string {
  return typeof key === 'number' ? `[${key}]` : `.${String(key)}`;
}
