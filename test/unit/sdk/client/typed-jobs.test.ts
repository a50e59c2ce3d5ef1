/** Typed jobs: their definitions, the checks of inputs and results, and the types that callers and handlers see. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type } from 'arktype';
import * as v from 'valibot';
import { afterAll, describe, expect, expectTypeOf, test } from 'vitest';
import * as z from 'zod';
import type {
  DefinitionInit,
  HandlerFunction,
  JobContext,
  SubmittedJob,
  TypedJob,
} from '../../../../sdk/typescript/src/index.ts';
import { Client, Code, decodePayload, defineJob, Worker } from '../../../../sdk/typescript/src/index.ts';
import { checkedHandler, runHandler } from '../../../../sdk/typescript/src/testing.ts';

const address = '127.0.0.1:1';
const client = new Client({ address, timeoutMs: 1, retry: { maxAttempts: 1 } });
afterAll(() => client.close());

const resize = defineJob({
  name: 'resize',
  input: z.object({
    width: z.number(),
    unit: z.string().default('px'),
    taken: z.string().transform((text) => new Date(text)),
  }),
  output: z.object({ pixels: z.number() }),
});

const schemaOf = (text: string | undefined) => JSON.parse(text ?? '');

/** A schema of a library of its own. */
function schema<T>(validate: StandardSchemaV1.Props<T>['validate'], jsonSchema?: object): StandardSchemaV1<T> {
  return { '~standard': { version: 1, vendor: 'ours', validate, ...(jsonSchema && { jsonSchema }) } };
}

/** Finds "even", but only later. */
const even = schema<number>(async (value) =>
  typeof value === 'number' && value % 2 === 0 ? { value } : { issues: [{ message: 'is not even' }] },
);
const halve = defineJob({ name: 'halve', input: even, inputJsonSchema: '{"type":"number"}' });

describe('the definition of a typed job', () => {
  test('has the JSON Schemas of what callers send and of what the worker reports', () => {
    const { inputJsonSchema, outputJsonSchema, ...rest } = resize.definition;
    expect(rest).toEqual({ name: 'resize' });
    expect(schemaOf(inputJsonSchema)).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      properties: { width: { type: 'number' }, unit: { default: 'px' }, taken: { type: 'string' } },
      required: ['width', 'taken'],
    });
    expect(schemaOf(outputJsonSchema)).toMatchObject({ properties: { pixels: { type: 'number' } } });
  });

  test('has all other options, also a JSON Schema that is given', () => {
    const init = {
      name: 'a',
      queue: 'q',
      retryPolicy: { maxAttempts: 2 },
      inputJsonSchema: '',
      outputJsonSchema: '{}',
    };
    const input = z.date();
    expect(defineJob({ ...init, input, output: v.number() }).definition).toEqual(init);
    const inputProtobufSchema = { messageType: 'shop.Order' };
    expect(defineJob({ name: 'a', input: v.unknown(), inputProtobufSchema }).definition).toEqual({
      name: 'a',
      inputProtobufSchema,
    });
  });

  test('comes from arktype too, and without schemas has none', () => {
    const { definition } = defineJob({ name: 'a', input: type({ width: 'number' }) });
    expect(schemaOf(definition.inputJsonSchema)).toMatchObject({ required: ['width'] });
    expect(defineJob({ name: 'a' })).toEqual({
      name: 'a',
      definition: { name: 'a' },
      input: undefined,
      output: undefined,
    });
  });

  test('takes draft 07 from a library that has only that', () => {
    const input = ({ target }: { target: string }) => {
      if (target !== 'draft-07') throw new Error('unknown draft');
      return { type: 'number' };
    };
    const { definition } = defineJob({ name: 'a', input: schema<number>(() => ({ value: 1 }), { input }) });
    const draft = 'http://json-schema.org/draft-07/schema#';
    expect(schemaOf(definition.inputJsonSchema)).toEqual({ $schema: draft, type: 'number' });
  });

  const anySchema = schema<unknown>((value) => ({ value }));
  test.each<[string, () => TypedJob, string]>([
    [
      'a type that JSON does not have',
      () => defineJob({ name: 'a', output: z.object({ at: z.date() }) }),
      `job "a": output: zod can't write it as JSON Schema (Date cannot be represented in JSON Schema): use types that JSON has, or give outputJsonSchema too ("" for none)`,
    ],
    [
      'a library that offers none',
      () => defineJob({ name: 'a', input: anySchema }),
      'job "a": input: a schema of ours offers no JSON Schema: give inputJsonSchema too ("" for none)',
    ],
    [
      'valibot',
      () => defineJob({ name: 'a', input: v.number() }),
      'job "a": input: a schema of valibot offers no JSON Schema: give inputJsonSchema too ("" for none), or pass toStandardJsonSchema(schema) of @valibot/to-json-schema',
    ],
  ])('refuses %s with the next step', (_, define, message) => {
    expect(define).toThrow(new TypeError(message));
  });
});

describe('a submission of a typed job', () => {
  const refused = (fieldViolations: object[], message = expect.any(String)) =>
    expect.objectContaining({ code: Code.INVALID_ARGUMENT, reason: 'INPUT_SCHEMA_VIOLATED', fieldViolations, message });
  // biome-ignore lint/suspicious/noExplicitAny: callers in JavaScript may pass anything.
  const js = (value: unknown): any => value;

  test('with an input that does not fit is refused, and names path and message of each issue', async () => {
    const description = expect.stringMatching(/^width: .*number.*; taken: .*string/);
    const message = expect.stringMatching(/^job\.input does not fit its schema: width: /);
    const wanted = refused([{ field: 'job.input', description }], message);
    await expect(client.submit(resize, js({ width: 'wide' }))).rejects.toEqual(wanted);
    await expect(client.batch('x').submit(resize, js({ width: 'wide' }))).rejects.toEqual(wanted);
    const deep = defineJob({ name: 'deep', input: z.object({ pages: z.array(z.object({ id: z.number() })) }) });
    const pages = [{ id: 1 }, { id: 'two' }];
    const at = expect.stringMatching(/^pages\[1\]\.id: /);
    await expect(client.submit(deep, js({ pages }))).rejects.toEqual(
      refused([{ field: 'job.input', description: at }]),
    );
  });

  test('with an asynchronous schema is refused too', async () => {
    const odd = { field: 'job.input', description: 'is not even' };
    await expect(client.submit(halve, 3)).rejects.toEqual(refused([odd]));
    await expect(client.submit(halve, 4)).rejects.not.toMatchObject({ code: Code.INVALID_ARGUMENT });
  });

  test('of many names each input that does not fit', async () => {
    const requests = [
      { job: halve, input: 1 },
      { job: halve, input: 2 },
      { job: halve, input: 3 },
    ];
    const fields = [0, 2].map((i) => ({ field: `jobs[${i}].input`, description: 'is not even' }));
    const message = 'jobs[0].input does not fit its schema: is not even, and 1 more input that does not fit';
    await expect(client.submitMany(requests)).rejects.toEqual(refused(fields, message));
  });

  test('lists a bounded number of issues', async () => {
    const issues = Array.from({ length: 25 }, (_, i) => ({ message: `issue ${i}`, path: [{ key: 'a' }, i] }));
    const never = defineJob({ name: 'never', input: schema<number>(() => ({ issues })), inputJsonSchema: '' });
    const reason = await client.submit(never, 1).catch((error: Error) => error.message);
    expect(reason).toContain('a[0]: issue 0; a[1]: issue 1;');
    expect(reason).toMatch(/issue 19; and 5 more$/);
  });

  test('by a handler is checked, and sends what the handler gave', async () => {
    const input = { width: 1, taken: '2026-01-01' };
    const parent = (ctx: JobContext, given: typeof input) => ctx.submit(resize, given);
    const { children } = await runHandler(parent, input, { children: { resize: 'open' } });
    expect(children.map(({ definition, input: sent }) => [definition, decodePayload(sent)])).toEqual([
      ['resize', input],
    ]);
    const { failure } = await runHandler(parent, { width: 1 }, { children: { resize: 'open' } });
    expect(failure).toMatchObject({ type: 'MusterError', message: expect.stringContaining('taken: ') });
  });

  test('of which an earlier one was refused keeps the number of the later children', async () => {
    const parent = async (ctx: JobContext) => {
      const both = await Promise.allSettled([ctx.submit(halve, 1), ctx.submit(halve, 2), ctx.submit('other')]);
      return both.map(({ status }) => status);
    };
    const { result, children } = await runHandler(parent, null, { children: { halve: 'open', other: 'open' } });
    expect(result).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(children.map(({ definition }) => definition).sort()).toEqual(['halve', 'other']);
    expect(children.map(({ idempotencyKey }) => idempotencyKey.split('/').at(-1)).sort()).toEqual(['1', '2']);
  });
});

describe('the handler of a typed job', () => {
  /** Handlers as plain JavaScript has them. */
  const run = (handler: HandlerFunction, input: unknown, job: TypedJob = resize) =>
    runHandler(checkedHandler(job, handler), input);

  test('gets the transformed input, and its result is reported after its transforms', async () => {
    const given: unknown[] = [];
    const handler = (_: JobContext, input: object) => {
      given.push(input);
      return { pixels: 5, secret: 'x' };
    };
    const { result } = await run(handler, { width: 1, taken: '2026-01-01', more: true });
    expect(given).toEqual([{ width: 1, unit: 'px', taken: new Date('2026-01-01') }]);
    expect(result).toEqual({ pixels: 5 });
  });

  test('is not entered with an input that does not fit, and the attempt is the last one', async () => {
    const { failure } = await run(() => expect.unreachable(), { width: 1 });
    expect(failure).toMatchObject({ type: 'NonRetryableError', nonRetryable: true });
    expect(failure?.message).toMatch(/^the input of resize does not fit its schema: taken: /);
  });

  test('fails with a result that does not fit, and may be retried', async () => {
    const { failure } = await run(async () => ({ pixels: 'many' }), { width: 1, taken: '2026-01-01' });
    expect(failure).toMatchObject({ type: 'OutputSchemaViolation', nonRetryable: false });
    expect(failure?.message).toMatch(/^the result of resize does not fit its schema: pixels: /);
  });

  test('works with asynchronous schemas, with versions, and without schemas', async () => {
    const double = defineJob({ name: 'double', output: even, outputJsonSchema: '' });
    expect((await run((_: JobContext, n: number) => n * 2, 3, double)).result).toBe(6);
    expect((await run((_: JobContext, n: number) => n, 3, double)).failure?.type).toBe('OutputSchemaViolation');
    const handler = { run: (_: JobContext, n: number) => n, minVersion: 2 };
    expect(checkedHandler(double, handler)).toMatchObject({ minVersion: 2 });
    expect(checkedHandler(defineJob({ name: 'x' }), handler)).toEqual(handler);
  });

  test('keeps its own errors', async () => {
    const handler = () => {
      throw new RangeError('too wide');
    };
    const { failure } = await run(handler, { width: 1, taken: '2026-01-01' });
    expect(failure).toMatchObject({ type: 'RangeError', message: 'too wide' });
  });
});

describe('handle of a worker', () => {
  const worker = () => new Worker({ address, name: 'w', handlers: { add: () => 1 }, logger: { log: () => {} } });
  const wait = { case: 'wait', value: { kind: { case: 'approval', value: {} } } } as const;

  test.each<[string, () => unknown, string]>([
    ['a second handler', () => worker().handle('add', () => 2), 'handle: add has a handler already: give it one only'],
    [
      'a second handler of a typed job',
      () =>
        worker()
          .handle(halve, () => 1)
          .handle('halve', () => 2),
      'handle: halve has a handler already: give it one only',
    ],
    [
      'a typed job whose handler has the name of another',
      () => worker().handle(defineJob({ name: 'x', body: { case: 'task', value: { handler: 'add' } } }), () => 1),
      'handle: add has a handler already',
    ],
    [
      'a job that no handler runs',
      () => worker().handle(defineJob({ name: 'ask', body: wait }), () => 1),
      'handle: "ask" is a wait, which no handler runs: give a job that is a task',
    ],
    ['no function', () => worker().handle('x', 1 as never), 'handle: x: undefined is no function'],
    [
      'an unknown field',
      () => worker().handle(halve, { run: () => 1, min: 1 } as never),
      'handle: halve: unknown option',
    ],
    [
      'a definition that is listed twice',
      () => new Worker({ address, name: 'w', definitions: [halve, { name: 'halve' }] }),
      'new Worker: definitions[1]: "halve" is listed twice: give each definition once',
    ],
    [
      'a definition of another namespace',
      () => new Worker({ address, name: 'w', definitions: [{ name: 'a', namespace: 'other' }] }),
      'new Worker: definitions[0]: namespace is "other", the worker\'s is "default": leave it out',
    ],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(message);
  });

  test('refuses a handler after the start', async () => {
    const started = worker();
    const finished = started.run();
    expect(() => started.handle('late', () => 1)).toThrow(
      'the worker has started: add the handler of late before run()',
    );
    await started.stop();
    await finished;
  });

  test('is followed by ready, which fails for a worker that has not started or has ended', async () => {
    const one = worker();
    await expect(one.ready()).rejects.toThrow('ready: the worker has not started: call run() first');
    const finished = one.run();
    const ready = one.ready();
    await Promise.all([one.stop(), expect(ready).rejects.toThrow('ready: the worker has ended before')]);
    await finished;
    await expect(one.ready()).rejects.toThrow('ready: the worker has ended before');
  });

  test('of a worker that waits with its definitions ends with stop', async () => {
    const events: string[] = [];
    const options = { address, name: 'w', definitions: [halve], logger: { log: () => {} } };
    const waiting = new Worker({ ...options, onEvent: (event) => events.push(event) });
    const finished = waiting.run();
    await waiting.stop();
    await finished;
    expect(events).toEqual(['draining', 'closed']);
  });
});

test('the types of a typed job are those of its schemas', () => {
  // Is compiled, and not run.
  const types = async (ctx: JobContext, worker: Worker) => {
    const taken = '2026-01-01';
    const job = await client.submit(resize, { width: 1, taken }, { labels: { a: 'b' } });
    expectTypeOf(await client.result(job)).toEqualTypeOf<{ pixels: number }>();
    expectTypeOf(await client.result(await client.wait(job))).toEqualTypeOf<{ pixels: number }>();
    expectTypeOf(await client.result(await client.batch('x').submit(halve, 2))).toEqualTypeOf<unknown>();
    expectTypeOf(await client.submit('plain', 1)).toEqualTypeOf<SubmittedJob>();
    expectTypeOf(await client.result(await client.submit('plain'))).toEqualTypeOf<unknown>();
    expectTypeOf(await client.result<number>(await client.submit('plain'))).toEqualTypeOf<number>();
    // @ts-expect-error a width is a number
    await client.submit(resize, { width: 'wide', taken });
    // @ts-expect-error the input is needed
    await client.submit(resize);
    // @ts-expect-error there is no such option
    await client.submit(resize, { width: 1, taken }, { label: {} });
    await client.submit(defineJob({ name: 'any' }));

    const many = await client.submitMany([1, 2].map((width) => ({ job: resize, input: { width, taken }, labels: {} })));
    expectTypeOf(many).toEqualTypeOf<SubmittedJob<{ pixels: number }>[]>();
    // @ts-expect-error a width is a number
    await client.submitMany([{ job: resize, input: { width: 'wide', taken } }]);
    await client.submitMany<typeof resize | typeof halve>([
      { job: resize, input: { width: 1, taken } },
      { job: halve, input: 2 },
    ]);

    worker.handle(resize, async (_ctx, input) => {
      expectTypeOf(input).toEqualTypeOf<{ width: number; unit: string; taken: Date }>();
      return { pixels: 1 };
    });
    worker.handle(resize, { run: (_ctx, { width }) => ({ pixels: width }), minVersion: 2 });
    // @ts-expect-error the result is an object
    worker.handle(resize, async (_ctx, { width }) => width);
    worker.handle('add', (_ctx, { a, b }: { a: number; b: number }) => a + b);

    const given = defineJob<{ a: number }, { sum: number }>({ name: 'add' });
    worker.handle(given, (_ctx, { a }) => ({ sum: a }));
    const children = [await ctx.submit(resize, { width: 1, taken }), await ctx.submit(given, { a: 1 })] as const;
    expectTypeOf(await ctx.wait(children)).toEqualTypeOf<[{ pixels: number }, { sum: number }]>();
    expectTypeOf(await ctx.wait([await ctx.submit('x')])).toEqualTypeOf<unknown[]>();
    const numbers: number[] = await ctx.wait([await ctx.submit('x')]);
    const definitions: (DefinitionInit | TypedJob)[] = [resize, { name: 'plain' }];
    return { numbers, definitions };
  };
  expectTypeOf(types).returns.resolves.toEqualTypeOf<{
    numbers: number[];
    definitions: (DefinitionInit | TypedJob)[];
  }>();
});
