/** JSON Schema, drafts 2020-12 and 07, with ajv. Runs in the schema thread only: schemas and payloads are untrusted. */
import { Ajv2020, type ErrorObject, type Validate } from 'ajv/dist/2020.js';
import { Ajv } from 'ajv/dist/ajv.js';
import { mediaTypeOf, messageOf, parseJson, UnusableSchema, type Validator } from './validator.ts';

// `format` is an annotation, as in 2020-12. Own properties only: otherwise every object would have a "constructor".
const options = { strict: false, validateFormats: false, logger: false, ownProperties: true };

const drafts = { '2020-12': Ajv2020, '07': Ajv } as const;
type Draft = keyof typeof drafts;
type Schema = Readonly<Record<string, unknown>> | boolean;

/** Validators of schemas, per draft; compiled on first use. */
const metaSchemas = new Map<Draft, Ajv2020>();

function metaSchemaOf(draft: Draft): Ajv2020 {
  let meta = metaSchemas.get(draft);
  if (!meta) {
    meta = new drafts[draft](options);
    metaSchemas.set(draft, meta);
  }
  return meta;
}

function draftOf(schema: Schema): Draft {
  const named = typeof schema === 'boolean' ? undefined : schema.$schema;
  if (named === undefined) return '2020-12';
  const uri = String(named).replace(/#$/, '');
  if (uri === 'https://json-schema.org/draft/2020-12/schema') return '2020-12';
  if (/^https?:\/\/json-schema\.org\/draft-07\/schema$/.test(uri)) return '07';
  throw new UnusableSchema(`$schema names a draft other than 2020-12 and 07: ${uri}`);
}

function parse(text: string): Schema {
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (error) {
    throw new UnusableSchema(`is no JSON: ${messageOf(error)}`);
  }
  if (typeof schema === 'boolean' || (typeof schema === 'object' && schema !== null && !Array.isArray(schema)))
    return schema as Schema;
  throw new UnusableSchema('is neither an object nor true or false');
}

/** Names a part that the library's message leaves out, such as the additional property. */
function faultText(error: ErrorObject | undefined, whole: string): string {
  if (!error) return `${whole} does not fit the schema`;
  const { additionalProperty, unevaluatedProperty } = error.params;
  const extra = additionalProperty ?? unevaluatedProperty;
  const suffix = extra === undefined ? '' : `: ${JSON.stringify(extra)}`;
  return `${error.instancePath || whole} ${error.message ?? 'does not fit the schema'}${suffix}`;
}

/** A separate instance: an ajv instance keeps everything that it has compiled. */
function compile(schema: Schema, draft: Draft): Validate {
  const meta = metaSchemaOf(draft);
  if (meta.validateSchema(schema) !== true) {
    throw new UnusableSchema(`is no JSON Schema of draft ${draft}: ${faultText(meta.errors?.[0], 'it')}`);
  }
  return new drafts[draft]({ ...options, validateSchema: false }).compile(schema);
}

/** @throws UnusableSchema */
export function jsonValidator(text: string): Validator {
  const schema = parse(text);
  let validate: Validate;
  try {
    validate = compile(schema, draftOf(schema));
  } catch (error) {
    if (error instanceof UnusableSchema) throw error;
    throw new UnusableSchema(`can't be compiled: ${messageOf(error)}`);
  }
  // Its validator would return a promise, which would not count as an error.
  if (validate.$async) throw new UnusableSchema("has $async, which JSON Schema doesn't know");
  return (payload) => {
    const type = mediaTypeOf(payload);
    if (type !== '' && type !== 'application/json')
      return `has the content type ${type}; the schema wants application/json`;
    const parsed = parseJson(payload.data);
    if ('fault' in parsed) return parsed.fault;
    return validate(parsed.value) ? undefined : faultText(validate.errors?.[0], 'it');
  };
}
