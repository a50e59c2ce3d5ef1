/** JSON Schemas of Standard Schemas, for the definition: the control plane checks with them too. */
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';

/** The drafts that the control plane takes, with the name in `$schema`, which it needs for draft 07. */
const drafts = {
  'draft-2020-12': 'https://json-schema.org/draft/2020-12/schema',
  'draft-07': 'http://json-schema.org/draft-07/schema#',
} as const;

/**
 * JSON Schema, as text: of what callers send, or of what the worker reports.
 *
 * @throws TypeError when the library offers none, or none for a type in it.
 */
export function jsonSchemaText(job: string, side: 'input' | 'output', schema: StandardSchemaV1): string {
  const standard: StandardSchemaV1.Props & Partial<StandardJSONSchemaV1.Props> = schema['~standard'];
  const { vendor, jsonSchema } = standard;
  const field = `${side}JsonSchema`;
  if (jsonSchema === undefined) {
    const help = vendor === 'valibot' ? ', or pass toStandardJsonSchema(schema) of @valibot/to-json-schema' : '';
    throw new TypeError(
      `job "${job}": ${side}: a schema of ${vendor} offers no JSON Schema: give ${field} too ("" for none)${help}`,
    );
  }
  try {
    return convert(jsonSchema[side]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TypeError(
      `job "${job}": ${side}: ${vendor} can't write it as JSON Schema (${reason}): use types that JSON has, or give ` +
        `${field} too ("" for none)`,
      { cause: error },
    );
  }
}

/** The newer draft, if the library knows it. */
function convert(toJsonSchema: StandardJSONSchemaV1.Converter['input']): string {
  let failure: unknown;
  for (const target of ['draft-2020-12', 'draft-07'] as const) {
    try {
      return JSON.stringify({ $schema: drafts[target], ...toJsonSchema({ target }) });
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}
