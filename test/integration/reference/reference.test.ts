/** The server's API reference: valid, complete, true, and with examples that run unchanged. */
import { createHash } from 'node:crypto';
import { type DescMethod, fromJson, type JsonObject } from '@bufbuild/protobuf';
import { SessionService } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { document } from '../../../server/api/reference/document.ts';
import { openShell, type Shell } from '../../support/cli/shell.ts';
import { allMethods, exampleOf, pathOf, withActual } from '../../support/docs/contract.ts';
import { countFailure, makeJobs, openIdleWorker } from '../../support/docs/example-world.ts';
import { World } from '../api/base/world.ts';

const onHttp = allMethods.filter(({ parent }) => parent !== SessionService);

let world: World;
let shell: Shell;
let sessionId: string;
let page: string;

beforeAll(async () => {
  world = await World.start();
  shell = await openShell();
  sessionId = await openIdleWorker(world);
  await countFailure(world);
  page = await (await get('/reference')).text();
});

afterAll(async () => {
  await shell?.close();
  await world?.stop();
});

function get(path: string, init?: RequestInit): Promise<Response> {
  return fetch(world.replica.httpAddress + path, { redirect: 'manual', ...init });
}

describe('openapi.json', () => {
  it('is served, and valid for published validators', async () => {
    const answer = await get('/openapi.json');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    const served = (await answer.json()) as JsonObject;
    expect(served).toEqual(document);
    const validator = new Validator();
    expect(await validator.validate(served)).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it('has every RPC of the contract that this port serves, and no others', () => {
    expect(Object.keys(document.paths).sort()).toEqual(onHttp.map((method) => `/${pathOf(method)}`).sort());
  });

  it('describes every RPC, field and value, and the errors of each RPC', () => {
    for (const [path, { post }] of Object.entries(document.paths)) {
      expect({ path, description: post.description }).toEqual({ path, description: expect.stringMatching(/\w{3}/) });
      expect({ path, statuses: Object.keys(post.responses) }).toEqual({
        path,
        statuses: expect.arrayContaining(['400']),
      });
    }
    for (const [name, { properties = {} }] of Object.entries(document.components.schemas)) {
      for (const [field, { description }] of Object.entries(properties)) {
        expect({ name, field, description }).toEqual({ name, field, description: expect.stringMatching(/\w/) });
      }
    }
  });
});

/** Strict schemas: an unknown field in an answer is an error of the reference. */
function strictSchemas(): object {
  return JSON.parse(JSON.stringify(document.components), (_key, value) =>
    value?.type === 'object' && value.properties ? { ...value, additionalProperties: false } : value,
  );
}

/** The objects in the frames of a stream; the last one is returned as `end`. */
function framesOf(bytes: Buffer): { answers: JsonObject[]; end: JsonObject } {
  const frames: { flags: number; json: JsonObject }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 1);
    frames.push({ flags: bytes.readUInt8(at), json: JSON.parse(bytes.toString('utf8', at + 5, at + 5 + length)) });
    at += 5 + length;
  }
  const end = frames.pop();
  expect(end?.flags).toBe(2);
  return { answers: frames.map(({ json }) => json), end: end?.json ?? {} };
}

describe('the example of', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const components = strictSchemas();
  const titled = onHttp.map((method) => [method.name, method] as const);

  function answersOf(method: DescMethod, printed: string): JsonObject[] {
    const bytes = Buffer.from(printed, 'latin1');
    if (method.methodKind === 'unary') return [JSON.parse(bytes.toString())];
    const { answers, end } = framesOf(bytes);
    expect(end).not.toHaveProperty('error');
    expect(answers).not.toEqual([]);
    return answers;
  }

  it.each(titled)('%s works', async (_name, method) => {
    const actual = { sessionId, ...(await makeJobs(world)) };
    const line = curlLines(page).find((one) => one.includes(`/${pathOf(method)} `)) ?? '';
    const printed = await shell.run(withActual(line, actual));
    for (const answer of answersOf(method, printed)) {
      if (answer.code === 'unimplemented') return expect(answer.message).toContain('not part of this release');
      expect(answer).not.toHaveProperty('code');
      const fits = ajv.compile({ $ref: `#/components/schemas/${method.output.name}`, components });
      expect({ fits: fits(answer), errors: fits.errors, answer }).toMatchObject({ fits: true });
      fromJson(method.output, answer);
    }
  });

  it.each(allMethods.map((method) => [method.name, method] as const))('%s matches the contract', (_name, method) => {
    fromJson(method.input, exampleOf(method));
  });
});

function unescaped(html: string): string {
  return html.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
}

function curlLines(html: string): string[] {
  return [...html.matchAll(/<pre>([\s\S]*?)<\/pre>/g)].map(([, line = '']) => unescaped(line));
}

describe('the reference page', () => {
  it('has each RPC with its path, its fields, its errors, and a shell line', () => {
    const text = unescaped(page.replace(/<[^>]+>/g, ' '));
    for (const method of onHttp) {
      expect(text).toContain(`POST  /${pathOf(method)}`.replace('  ', ' '));
      expect(page).toContain(`id="${method.parent.name}_${method.name}"`);
      for (const { jsonName } of method.input.fields) expect(text).toContain(jsonName);
    }
    expect(curlLines(page)).toHaveLength(onHttp.length);
    expect(page).toContain('JOB_STATE_CANCELLING');
    expect(page).toContain('ERROR_REASON_IDEMPOTENCY_CONFLICT');
  });

  it('has no broken link, and no duplicate anchor', () => {
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const targets = new Set([...page.matchAll(/href="#([^"]+)"/g)].map(([, target]) => target));
    expect([...targets].filter((target) => !ids.includes(target))).toEqual([]);
  });

  it('runs no script, loads nothing, and its policy forbids both', async () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\bsrc=|\bon\w+="|@import|url\(/i);
    const { headers } = await get('/reference');
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none';/);
    expect(headers.get('content-security-policy')).toContain(`style-src 'sha256-${hash}'`);
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('is the target of the root, and answers GET and HEAD', async () => {
    const root = await get('/');
    expect([root.status, root.headers.get('location')]).toEqual([302, '/reference']);
    const head = await get('/reference', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await get('/reference', { method: 'POST', body: '{}' })).status).toBe(404);
  });
});
