/**
 * Random schemas and inputs, and ones built to take forever: each is answered within its bounds, and the replica still
 * answers others meanwhile.
 */

import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../server/api/base/code.ts';
import type { Dice } from '../../chaos/harness/dice.ts';
import { Refusal } from '../api/base/rpc.ts';
import { World } from '../api/base/world.ts';
import { shopSchema } from '../schemas/descriptor-sets.ts';
import { damaged, diceOf, textOf, tries } from './chance.ts';
import { Vitals } from './vitals.ts';

const { applyJobDefinition } = JobDefinitionService.method;
const { submitJob, submitJobs, getJob } = JobService.method;
const dice = diceOf('schemas');
const body = { case: 'task', value: {} } as const;

let world: World;
let vitals: Vitals;

beforeAll(async () => {
  world = await World.start();
  vitals = new Vitals(world);
});

afterAll(() => world?.stop());

/** Any JSON, with schema keywords among its keys. */
function jsonOf(of: Dice, depth: number): unknown {
  if (depth === 0 || of.chance(0.3))
    return of.pick([null, true, false, 0, -1, 1e308, 0.1, '', textOf(of, 5), '#', '#/$defs/a', '(a+)+$', 'string']);
  const size = of.int(0, 4);
  if (of.chance(0.3)) return Array.from({ length: size }, () => jsonOf(of, depth - 1));
  return Object.fromEntries(Array.from({ length: size }, () => [keyOf(of), jsonOf(of, depth - 1)]));
}

const keywords = [
  'type properties required items prefixItems additionalProperties patternProperties allOf anyOf oneOf not if then else',
  '$ref $defs $id $anchor $dynamicRef $dynamicAnchor enum const pattern format minimum maximum multipleOf minLength',
  'dependentSchemas propertyNames contains minContains unevaluatedProperties unevaluatedItems $schema $vocabulary __proto__',
]
  .join(' ')
  .split(' ');
const keyOf = (of: Dice) => (of.chance(0.8) ? of.pick(keywords) : textOf(of, of.int(1, 4)));

/** Codes that blame the request, or its size. */
const allowed = [Code.OK, Code.INVALID_ARGUMENT, Code.RESOURCE_EXHAUSTED];

async function codeOf(call: Promise<unknown>): Promise<{ code: number; message: string }> {
  const answer = await call.catch((error: unknown) => error);
  return answer instanceof Refusal ? answer : { code: Code.OK, message: '' };
}

function apply(name: string, schema: object) {
  return codeOf(world.rpc.call(applyJobDefinition, { definition: { name, body, ...schema } }));
}

describe('a hostile JSON schema', () => {
  it('of random words, with inputs of random JSON, gets a valid answer', async () => {
    for (let i = 0; i < tries(150); i++) {
      const inputJsonSchema = JSON.stringify(jsonOf(dice, dice.int(1, 5)));
      const stored = await apply(`random-${i}`, { inputJsonSchema });
      expect(allowed, `${inputJsonSchema}: ${stored.message}`).toContain(stored.code);
      if (stored.code !== Code.OK) continue;
      const data = Buffer.from(JSON.stringify(jsonOf(dice, 4)) ?? 'null');
      const taken = await codeOf(world.rpc.call(submitJob, { job: { definition: `random-${i}`, input: { data } } }));
      expect(allowed, `${inputJsonSchema} with ${data}: ${taken.message}`).toContain(taken.code);
    }
    await vitals.check();
  });

  const deep = (open: string, close: string, levels: number) => open.repeat(levels) + close.repeat(levels);
  it.each([
    ['nested without end', deep('{"not":', '}', 3_000).replace('}}', '{}}}')],
    ['lists in lists', deep('[', ']', 30_000)],
    ['a reference to itself', '{"$ref":"#"}'],
    ['references in a ring', '{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}'],
    ['a ring of alternatives', '{"anyOf":[{"$ref":"#"},{"$ref":"#"},{"$ref":"#"}]}'],
    ['a dynamic reference to itself', '{"$dynamicAnchor":"x","$dynamicRef":"#x"}'],
    ['a pattern of 60 KiB', JSON.stringify({ pattern: '(a|b)?'.repeat(10_000) })],
    ['a pattern that repeats without end', JSON.stringify({ pattern: '((a{1,9999}){1,9999}){1,9999}' })],
    ['many nested alternatives', JSON.stringify({ anyOf: Array.from({ length: 5_000 }, () => ({})) })],
    ['another server', '{"$ref":"http://127.0.0.1:1/x"}'],
    ['a file', '{"$ref":"file:///etc/passwd"}'],
  ])('gets a valid answer in bounded time: %s', async (what, inputJsonSchema) => {
    const definition = `hostile-${what.replaceAll(/[^a-z]/g, '-')}`;
    const stored = await apply(definition, { inputJsonSchema });
    expect(allowed, stored.message).toContain(stored.code);
    if (stored.code === Code.OK) {
      const data = Buffer.from('{"a":[[[1]]]}');
      const taken = await codeOf(world.rpc.call(submitJob, { job: { definition, input: { data } } }));
      expect(allowed, taken.message).toContain(taken.code);
    }
    await vitals.check();
  });
});

describe('an expression of exponential time', () => {
  it('delays its own call only: others are answered while it is tried repeatedly', async () => {
    await world.rpc.call(applyJobDefinition, {
      definition: { name: 'slow', body, inputJsonSchema: JSON.stringify({ pattern: '^(a+)+$' }) },
    });
    const jobId = await world.submit(await world.define());
    const input = { data: Buffer.from(JSON.stringify(`${'a'.repeat(200)}!`)) };
    const jobs = Array.from({ length: 40 }, () => ({ definition: 'slow', input }));
    let isOver = false;
    const slow = codeOf(world.rpc.call(submitJobs, { jobs })).finally(() => {
      isOver = true;
    });
    let answered = 0;
    while (!isOver) {
      await world.rpc.call(getJob, { jobId });
      if (!isOver) answered++;
    }
    // Which bound is exceeded depends on the machine's speed: that of one check, or that of the whole call.
    expect(allowed.slice(1)).toContain((await slow).code);
    expect((await slow).message).toMatch(/took longer than \d+ ms/);
    expect(answered).toBeGreaterThan(0);
    await vitals.check();
  });
});

describe('a hostile protobuf schema', () => {
  it('damaged at random gets a valid answer', async () => {
    const good = shopSchema();
    for (let i = 0; i < tries(150); i++) {
      const inputProtobufSchema = { ...good, fileDescriptorSet: damaged(dice, good.fileDescriptorSet) };
      const name = `damaged-${i}`;
      const stored = await apply(name, { inputProtobufSchema });
      const shown = Buffer.from(inputProtobufSchema.fileDescriptorSet).toString('base64');
      expect(allowed, `${shown}: ${stored.message}`).toContain(stored.code);
      if (stored.code !== Code.OK) continue;
      const input = { data: damaged(dice, Buffer.from('0a01781005', 'hex')) };
      const taken = await codeOf(world.rpc.call(submitJob, { job: { definition: name, input } }));
      expect(allowed, `${shown}: ${taken.message}`).toContain(taken.code);
    }
    await vitals.check();
  });
});
