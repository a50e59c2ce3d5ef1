/** The worker thread that compiles schemas and checks payloads; it may be terminated at any time. */
import { parentPort, workerData } from 'node:worker_threads';
import type { PayloadSchema } from '../domain/definitions/definition.ts';
import type { SchemaProblem } from '../engine/ports/ports.ts';
import { Stopwatch } from './stopwatch.ts';
import type { ThreadItem, ToThread } from './thread-messages.ts';
import { messageOf, UnusableSchema, type Validator } from './validator.ts';

if (!parentPort) throw new Error('schema-thread.ts can be started by thread-schemas.ts only');
const port = parentPort;
const stopwatch = new Stopwatch(workerData as SharedArrayBuffer);
/** After this time it returns what it has, so that others get their turn. */
const SLICE_MS = 20;
const MAX_MESSAGE = 200;

const schemas = new Map<number, PayloadSchema>();
const validators = new Map<number, Validator | SchemaProblem>();

/** The code of each kind of schema is loaded on first use. */
async function makerOf(schema: PayloadSchema): Promise<() => Validator> {
  if (schema.kind === 'protobuf') {
    const { protobufValidator } = await import('./protobuf-schema.ts');
    return () => protobufValidator(schema);
  }
  const { jsonValidator } = await import('./json-schema.ts');
  return () => jsonValidator(schema.text);
}

function made(make: () => Validator): Validator | SchemaProblem {
  try {
    return make();
  } catch (error) {
    if (error instanceof UnusableSchema) return error.problem;
    return { part: '', message: `can't be used: ${messageOf(error)}` };
  }
}

async function validatorOf(schemaId: number, index: number): Promise<Validator | SchemaProblem> {
  let validator = validators.get(schemaId);
  if (validator) return validator;
  const make = await makerOf(schemas.get(schemaId) as PayloadSchema);
  stopwatch.start('compile', index);
  validator = made(make);
  validators.set(schemaId, validator);
  return validator;
}

async function check({ schemaId, payload }: ThreadItem, index: number): Promise<SchemaProblem | undefined> {
  const validator = await validatorOf(schemaId, index);
  if (typeof validator !== 'function') return validator;
  if (!payload) return undefined;
  stopwatch.start('validate', index);
  try {
    const fault = validator(payload);
    return fault === undefined ? undefined : { part: '', message: fault };
  } catch (error) {
    return { part: '', message: `can't be checked: ${messageOf(error)}` };
  }
}

function cut(problem: SchemaProblem | undefined): SchemaProblem | undefined {
  return problem && { ...problem, message: problem.message.slice(0, MAX_MESSAGE).toWellFormed() };
}

port.on('message', async (message: ToThread) => {
  for (const schemaId of message.forget) {
    schemas.delete(schemaId);
    validators.delete(schemaId);
  }
  for (const [schemaId, schema] of message.schemas) schemas.set(schemaId, schema);
  const results: (SchemaProblem | undefined)[] = [];
  const start = performance.now();
  for (const [index, item] of message.items.entries()) {
    if (index > 0 && performance.now() - start > SLICE_MS) break;
    results.push(cut(await check(item, index)));
    stopwatch.stop();
  }
  port.postMessage(results);
});
