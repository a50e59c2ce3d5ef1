/** The HTTP port against requests that no proper client sends: bodies, types, paths, timeouts, hosts and origins. */
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { create, toBinary, toJsonString } from '@bufbuild/protobuf';
import { GetJobRequestSchema } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frame } from './raw-http2.ts';
import { World } from './world.ts';

const GET_JOB = '/muster.v1.JobService/GetJob';
const SUBMIT_JOB = '/muster.v1.JobService/SubmitJob';
const WATCH_JOB = '/muster.v1.JobService/WatchJob';
const ops = 'https://ops.example.com';

let world: World;
let definition: string;
let jobId: string;
let goodJson: string;
let good: Uint8Array;

beforeAll(async () => {
  world = await World.start({ corsOrigins: [ops], httpHosts: ['Muster.example.com'] });
  definition = await world.define();
  jobId = await world.submit(definition);
  const request = create(GetJobRequestSchema, { jobId });
  good = toBinary(GetJobRequestSchema, request);
  goodJson = toJsonString(GetJobRequestSchema, request);
});

afterAll(() => world?.stop());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The `code` of a JSON body. */
  readonly code: string | undefined;
}

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A raw request: fetch would add headers of its own and refuse some of ours. */
function send(
  body: string | Uint8Array,
  { path = GET_JOB, method = 'POST', headers = {} }: Sent = {},
): Promise<Answer> {
  const { hostname, port } = new URL(world.replica.httpAddress);
  return new Promise((resolve, reject) => {
    const options = { host: hostname, port, path, method, agent: false } as const;
    const call = httpRequest({ ...options, headers: { 'content-type': 'application/json', ...headers } });
    call.on('error', reject);
    call.on('response', async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      const { statusCode: status = 0, headers: seen } = response;
      resolve({ status, headers: seen, text, code: text.startsWith('{') ? JSON.parse(text).code : undefined });
    });
    call.end(body);
  });
}

/** What the details say of calls that a library refuses. */
const reasons: Readonly<Record<string, string>> = {
  resource_exhausted: 'REQUEST_TOO_LARGE',
  invalid_argument: 'INVALID_FIELD',
  unimplemented: 'NOT_IMPLEMENTED',
  deadline_exceeded: 'DEADLINE_EXCEEDED',
};
const proto = { 'content-type': 'application/proto' };
const job = (fields: string) => `{"job":{"definition":"${definition}",${fields}}}`;

describe('request bodies', () => {
  it('in good order are answered: these tests speak the protocol', async () => {
    expect((await send(goodJson)).status).toBe(200);
    expect((await send(goodJson, { headers: { 'content-type': 'application/json; charset=utf-8' } })).status).toBe(200);
    expect((await send(good, { headers: proto })).status).toBe(200);
    expect((await send(gzipSync(goodJson), { headers: { 'content-encoding': 'gzip' } })).status).toBe(200);
  });

  it.each<[string, () => string | Uint8Array]>([
    ['nothing', () => ''],
    ['garbage', () => Uint8Array.of(0xff, 0x00, 0x80, 0x7b)],
    ['half an object', () => '{"jobId":'],
    ['more after the object', () => `${goodJson}{}`],
    ['a list', () => '[]'],
    ['a text', () => '"x"'],
    ['null for the whole', () => 'null'],
    ['single quotes', () => "{'jobId':'x'}"],
    ['a trailing comma', () => '{"jobId":"x",}'],
    ['a comment', () => '{/**/"jobId":"x"}'],
    ['NaN', () => job('"priority":NaN')],
    ['the same field twice', () => '{"jobId":"x","jobId":"y"}'],
    ['the same field under both of its names', () => '{"jobId":"x","job_id":"y"}'],
    ['a field that is not known', () => job('"prio":1')],
    ['a field that is not known, deep inside', () => job('"retryPolicy":{"maxAttempt":1}')],
    ['a value that the enum does not know', () => job('"idempotencyConflictPolicy":"NEVER"')],
    ['a number for a text', () => '{"jobId":7}'],
    ['a text for an object', () => '{"job":"x"}'],
    ['an int32 out of range', () => job('"priority":2147483648')],
    ['an int32 with a fraction', () => job('"priority":1.5')],
    ['an int32 of 1e999', () => job('"priority":1e999')],
    ['a double out of range', () => job('"retryPolicy":{"multiplier":1e999}')],
    ['a double that is a word', () => job('"retryPolicy":{"multiplier":"many"}')],
    ['bytes that are no base64', () => job('"input":{"data":"***"}')],
    ['a span without its unit', () => job('"runTimeout":"5"')],
    ['a span out of range', () => job('"runTimeout":"9223372036854775808s"')],
    ['a span with ten digits behind the point', () => job('"runTimeout":"1.0000000001s"')],
    ['an invalid time', () => job('"expireTime":"2026-02-32T00:00:00Z"')],
    ['a time of the year 10000', () => job('"expireTime":"10000-01-01T00:00:00Z"')],
    ['two members of one choice', () => job('"delay":"1s","runTime":"2030-01-01T00:00:00Z"')],
    ['null in a list', () => '{"jobs":[null]}'],
    ['invalid UTF-8', () => Buffer.concat([Buffer.from('{"jobId":"'), Uint8Array.of(0xc3, 0x28), Buffer.from('"}')])],
    ['an overlong NUL', () => Buffer.concat([Buffer.from('{"jobId":"'), Uint8Array.of(0xc0, 0x80), Buffer.from('"}')])],
    ['UTF-16', () => Buffer.from(goodJson, 'utf16le')],
    ['100,000 nested lists', () => '['.repeat(100_000)],
    ['4 MiB of nested objects', () => '{"job":'.repeat(590_000)],
    ['well-formed nested lists', () => `{"jobId":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
    ['a field named __proto__', () => '{"__proto__":{"jobId":"x"}}'],
    ['a field named constructor', () => '{"constructor":{"prototype":{"jobId":"x"}}}'],
    ['a field named toString', () => '{"toString":"x"}'],
  ])('B1: are refused: %s', async (_what, body) => {
    const answer = await send(body(), { path: /"jobs?":/.test(String(body())) ? SUBMIT_JOB : GET_JOB });
    expect({ status: answer.status, code: answer.code }).toEqual({ status: 400, code: 'invalid_argument' });
    expect(JSON.parse(answer.text).message).toMatch(/\w/);
    expect(answer.text.length).toBeLessThan(4_000);
  });

  it('can name fields as the contract does', async () => {
    expect((await send(`{"job_id":"${jobId}"}`)).status).toBe(200);
  });

  it('with the 30th of February mean the 2nd of March: the library lets days overflow', async () => {
    const answer = await send(job('"expireTime":"2030-02-30T00:00:00Z"'), { path: SUBMIT_JOB });
    const { expireTime } = await world.getJob(JSON.parse(answer.text).jobId);
    expect(Number(expireTime?.seconds)).toBe(Date.UTC(2030, 2, 2) / 1_000);
  });

  it('change no prototype: labels can have keys such as constructor, but __proto__ is refused', async () => {
    const refused = await send(job('"labels":{"__proto__":"x"}'), { path: SUBMIT_JOB });
    expect(refused.code).toBe('invalid_argument');
    const labels = { constructor: 'a', toString: 'b', hasOwnProperty: 'c' };
    const answer = await send(job(`"labels":${JSON.stringify(labels)}`), { path: SUBMIT_JOB });
    expect({ ...(await world.getJob(JSON.parse(answer.text).jobId)).labels }).toEqual(labels);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it.each<[string, () => Uint8Array]>([
    ['garbage', () => Buffer.from('ffffffffffffffffffff01', 'hex')],
    ['a field of number 0', () => Uint8Array.of(0x02, 0x01, 0x61)],
    ['invalid UTF-8', () => Uint8Array.of(0x12, 2, 0xc3, 0x28)],
    ['a truncated string', () => Uint8Array.of(0x12, 200, 0x61)],
    ['JSON', () => Buffer.from(goodJson)],
    ['1 MiB of nested groups', () => new Uint8Array(1 << 20).fill(0x7b)],
  ])('B10: are refused in binary: %s', async (_what, body) => {
    expect(await send(body(), { headers: proto })).toMatchObject({ status: 400, code: 'invalid_argument' });
  });

  it.each<[string, string | Uint8Array, string, string]>([
    ['Connect', Uint8Array.of(0x12, 2, 0xc3, 0x28), 'application/proto', GET_JOB],
    ['Connect streams', frame(Uint8Array.of(0x12, 2, 0xc3, 0x28)), 'application/connect+proto', WATCH_JOB],
  ])(
    'that cannot be decoded are refused with the name of the message and with details: %s',
    async (_what, body, type, path) => {
      const answer = await send(body, { path, headers: { 'content-type': type } });
      const json = JSON.parse(answer.text.slice(answer.text.indexOf('{')));
      const { code, message, details } = json.error ?? json;
      expect(code).toBe('invalid_argument');
      expect(message).toMatch(/^muster\.v1\.(Get|Watch)JobRequest cannot be decoded: .+/);
      expect(details[0]).toMatchObject({ type: 'google.rpc.ErrorInfo', debug: { reason: 'INVALID_FIELD' } });
    },
  );

  it.each<[string, string | Uint8Array, Record<string, string>, string]>([
    ['Connect', '{"jobid":"x"}', {}, GET_JOB],
    ['Connect, compressed', gzipSync('{"jobid":"x"}'), { 'content-encoding': 'gzip' }, GET_JOB],
    ['Connect streams', frame(Buffer.from('{"jobid":"x"}')), { 'content-type': 'application/connect+json' }, WATCH_JOB],
  ])(
    'of JSON that cannot be decoded are refused with the path of the field: %s',
    async (_what, body, headers, path) => {
      const answer = await send(body, { path, headers });
      const json = JSON.parse(answer.text.slice(answer.text.indexOf('{')));
      const { code, message, details } = json.error ?? json;
      expect(code).toBe('invalid_argument');
      expect(message).toMatch(/^jobid is no field of muster\.v1\.(Get|Watch)JobRequest; did you mean jobId\?$/);
      expect(details).toMatchObject([
        { type: 'google.rpc.ErrorInfo', debug: { reason: 'INVALID_FIELD' } },
        { type: 'google.rpc.BadRequest', debug: { fieldViolations: [{ field: 'jobid' }] } },
      ]);
    },
  );

  it('that are no JSON at all are refused with the name of the message', async () => {
    const { code, message } = JSON.parse((await send('{"jobId":')).text);
    expect({ code, message }).toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(/^muster\.v1\.GetJobRequest cannot be decoded: .+/),
    });
  });

  it('that cannot be decoded are refused over gRPC-Web, too', async () => {
    const headers = { 'content-type': 'application/grpc-web+proto' };
    const answer = await send(frame(Uint8Array.of(0x12, 2, 0xc3, 0x28)), { headers });
    expect(answer.text + JSON.stringify(answer.headers)).toMatch(/grpc-status"?: ?"?3/);
  });

  it.each<[string, () => Uint8Array, Record<string, string>, number, string]>([
    ['over 4 MiB', () => Buffer.alloc((4 << 20) + 1, ' '), {}, 429, 'resource_exhausted'],
    [
      'over 4 MiB in pieces',
      () => Buffer.alloc(5 << 20, ' '),
      { 'transfer-encoding': 'chunked' },
      429,
      'resource_exhausted',
    ],
    [
      'a gzip bomb of 64 MiB',
      () => gzipSync(Buffer.alloc(64 << 20)),
      { 'content-encoding': 'gzip' },
      429,
      'resource_exhausted',
    ],
    ['corrupt gzip', () => Buffer.from('not gzip at all'), { 'content-encoding': 'gzip' }, 400, 'invalid_argument'],
    [
      'truncated gzip',
      () => gzipSync(goodJson).subarray(0, 15),
      { 'content-encoding': 'gzip' },
      400,
      'invalid_argument',
    ],
    [
      'in a compression that is not known',
      () => Buffer.from(goodJson),
      { 'content-encoding': 'br' },
      501,
      'unimplemented',
    ],
  ])('B3, B4: are refused: %s', async (_what, body, headers, status, code) => {
    const answer = await send(body(), { headers });
    expect(answer).toMatchObject({ status, code });
    const { message, details } = JSON.parse(answer.text);
    if (code === 'invalid_argument') expect(message).toMatch(/^the request cannot be decompressed/);
    expect(details[0]).toMatchObject({ type: 'google.rpc.ErrorInfo', debug: { reason: reasons[code] } });
    expect(JSON.stringify(details)).not.toContain('RetryInfo');
  });

  it('B2: of a stream are refused with a cut frame, two frames, or none', async () => {
    const headers = { 'content-type': 'application/connect+json' };
    const one = frame(Buffer.from('{"jobId":"x"}'));
    for (const body of [
      one.subarray(0, 8),
      Buffer.concat([one, one]),
      new Uint8Array(),
      frame(one, { declared: 64 << 20 }),
    ]) {
      const answer = await send(body, { path: WATCH_JOB, headers });
      expect(answer.status).toBe(200);
      expect(answer.text.slice(5)).toMatch(/"error":\{"code":"(invalid_argument|unimplemented|resource_exhausted)"/);
    }
  });
});

describe('HTTP requests', () => {
  it.each<[string, Sent, number]>([
    ['of another type', { headers: { 'content-type': 'text/plain' } }, 415],
    ['of a form', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415],
    ['of a stream, where there is none', { headers: { 'content-type': 'application/connect+json' } }, 415],
    ['of one answer, where there is a stream', { path: WATCH_JOB }, 415],
    ['of JSON in another charset', { headers: { 'content-type': 'application/json; charset=utf-16' } }, 415],
    ['of gRPC', { headers: { 'content-type': 'application/grpc' } }, 415],
    ['of gRPC-Web in base64', { headers: { 'content-type': 'application/grpc-web-text' } }, 415],
    ['to read', { method: 'GET' }, 405],
    ['to put', { method: 'PUT' }, 405],
    ['to a service that is not there', { path: '/muster.v1.NoService/GetJob' }, 404],
    ['to a method that is not there', { path: '/muster.v1.JobService/NoMethod' }, 404],
    ['to a method of every object', { path: '/muster.v1.JobService/constructor' }, 404],
    ['to the service of workers', { path: '/muster.worker.v1.SessionService/OpenSession' }, 404],
    ['to the root', { path: '/' }, 404],
    ['up the folders', { path: '/../../etc/passwd' }, 404],
    ['to another server', { path: 'http://evil.example/muster.v1.JobService/GetJob' }, 404],
  ])('B5, B6: are refused: %s', async (_what, sent, status) => {
    const answer = await send(sent.method === 'GET' ? '' : goodJson, sent);
    expect({ status: answer.status, code: answer.code }).toEqual({ status, code: 'unimplemented' });
    const { message, details } = JSON.parse(answer.text);
    expect(message).toMatch(/\w$/);
    expect(details[0]).toMatchObject({ type: 'google.rpc.ErrorInfo', debug: { reason: 'NOT_IMPLEMENTED' } });
    expect(answer.headers.allow).toBe(status === 405 ? 'POST' : undefined);
  });

  it.each<[string, Record<string, string>, number, string]>([
    ['no number', { 'connect-timeout-ms': 'soon' }, 400, 'invalid_argument'],
    ['negative', { 'connect-timeout-ms': '-1' }, 400, 'invalid_argument'],
    ['a fraction', { 'connect-timeout-ms': '1.5' }, 400, 'invalid_argument'],
    ['empty', { 'connect-timeout-ms': '' }, 400, 'invalid_argument'],
    ['of eleven digits', { 'connect-timeout-ms': '99999999999' }, 400, 'invalid_argument'],
    ['past', { 'connect-timeout-ms': '0' }, 504, 'deadline_exceeded'],
  ])('B8, B9: are refused with a timeout that is %s', async (_what, headers, status, code) => {
    const answer = await send(goodJson, { headers });
    expect(answer).toMatchObject({ status, code });
    expect(JSON.parse(answer.text).details[0]).toMatchObject({ debug: { reason: reasons[code] } });
  });

  it('with the longest timeout do not time out at once', async () => {
    expect((await send(goodJson, { headers: { 'connect-timeout-ms': '9999999999' } })).status).toBe(200);
  });

  it('that arrive too late change nothing', async () => {
    const submit = { path: SUBMIT_JOB, headers: { 'connect-timeout-ms': '0' } };
    const late = job('"idempotencyKey":"too-late"');
    expect((await send(late, submit)).code).toBe('deadline_exceeded');
    const answer = await send(late, { path: SUBMIT_JOB });
    expect(JSON.parse(answer.text)).not.toHaveProperty('existing');
  });

  it('that are not HTTP end with 400, and unfinished ones do not delay others', async () => {
    const { hostname, port } = new URL(world.replica.httpAddress);
    const said = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write('\x16\x03\x01\x00\xa5\r\n\r\n'));
      socket.on('data', (data) => resolve(data.toString()));
      socket.on('error', reject);
    });
    expect(said).toMatch(/^HTTP\/1\.1 400 /);
    const slow = connect(Number(port), hostname, () =>
      slow.write(
        `POST ${GET_JOB} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{`,
      ),
    );
    expect((await send(goodJson)).status).toBe(200);
    slow.destroy();
  });
});

describe('cross-origin protection', () => {
  it('refuses foreign host names, and accepts addresses and the configured names', async () => {
    const foreign = await send(goodJson, { headers: { host: 'evil.example:7080' } });
    expect(foreign).toMatchObject({ status: 403, code: 'permission_denied' });
    expect(foreign.text).toContain('HOST_NOT_ALLOWED');
    for (const host of ['localhost:7080', '127.0.0.1', '[::1]:7080', 'muster.example.com']) {
      expect((await send(goodJson, { headers: { host } })).status).toBe(200);
    }
  });

  it('refuses foreign origins, in the preflight and in the request', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://localhost:3000']) {
      const headers = { origin, host: 'localhost:7080' };
      for (const method of ['POST', 'OPTIONS']) {
        const answer = await send(method === 'POST' ? goodJson : '', { method, headers });
        expect(answer).toMatchObject({ status: 403, code: 'permission_denied' });
        expect(answer.text).toContain('ORIGIN_NOT_ALLOWED');
        expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
      }
    }
  });

  it('accepts the server’s own origin and the configured ones', async () => {
    const own = await send(goodJson, { headers: { origin: 'http://localhost:7080', host: 'localhost:7080' } });
    expect(own.status).toBe(200);
    expect(own.headers).not.toHaveProperty('access-control-allow-origin');
    const preflight = await send('', { method: 'OPTIONS', headers: { origin: ops } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': ops,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': expect.stringMatching(/content-type.*connect-timeout-ms/i),
      vary: 'Origin',
    });
    const call = await send(goodJson, { headers: { origin: ops } });
    expect(call).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': ops } });
  });
});

describe('the replica after all of these requests', () => {
  it('still answers', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(goodJson)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await world.stateOf(jobId)).toBe('READY');
  });
});
