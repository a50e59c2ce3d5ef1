/**
 * The gRPC port against messages that no proper client sends, its deadlines, its health, and the RPCs of the contract.
 */
import { constants } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { GetJobRequestSchema, JobService, SubmitJobRequestSchema } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { SessionService } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { version } from '../../../../server/version.ts';
import { allMethods, allServices } from '../../../support/docs/contract.ts';
import { frame, rawCall } from './raw-http2.ts';
import { Refusal, refusalOf } from './rpc.ts';
import { World } from './world.ts';

const GET_JOB = '/muster.v1.JobService/GetJob';
const WAIT_JOB = '/muster.v1.JobService/WaitJob';
const { getJob, submitJob, waitJob } = JobService.method;

let world: World;
let jobId: string;
let good: Uint8Array;

beforeAll(async () => {
  world = await World.start();
  jobId = await world.submit(await world.define());
  good = toBinary(GetJobRequestSchema, create(GetJobRequestSchema, { jobId }));
});

afterAll(() => world?.stop());

function send(body: Uint8Array, headers: Record<string, string> = {}, path = GET_JOB) {
  return rawCall(world.replica.grpcAddress, path, body, headers);
}

/** An encoded field: number, wire type, and these bytes. */
function field(number: number, type: WireType, ...bytes: number[]): Uint8Array {
  return new BinaryWriter().tag(number, type).raw(Uint8Array.from(bytes)).finish();
}

/** A report of a failure with that many nested causes. */
function nestedFailure(depth: number): Uint8Array {
  let inner = new Uint8Array();
  for (let i = 0; i < depth; i++)
    inner = new BinaryWriter()
      .uint32((7 << 3) | 2)
      .bytes(inner)
      .finish() as typeof inner;
  const report = new BinaryWriter()
    .uint32((4 << 3) | 2)
    .bytes(inner)
    .finish();
  return new BinaryWriter()
    .uint32((2 << 3) | 2)
    .bytes(report)
    .finish();
}

describe('gRPC frames', () => {
  it('in good order are answered: these tests speak the protocol', async () => {
    expect(await send(frame(good))).toMatchObject({ httpStatus: 200, code: Code.OK });
    expect(await send(frame(gzipSync(good), { compressed: true }), { 'grpc-encoding': 'gzip' })).toMatchObject({
      code: Code.OK,
    });
  });

  it.each<[string, string, () => Uint8Array, Record<string, string>, number]>([
    ['B2', 'no message', () => new Uint8Array(), {}, Code.UNIMPLEMENTED],
    ['B2', 'two messages', () => Buffer.concat([frame(good), frame(good)]), {}, Code.UNIMPLEMENTED],
    ['B2', 'a cut message', () => frame(good).subarray(0, 12), {}, Code.UNIMPLEMENTED],
    ['B2', 'a cut head', () => frame(good).subarray(0, 3), {}, Code.UNIMPLEMENTED],
    ['B3', 'a declared length of 64 MiB', () => frame(good, { declared: 64 << 20 }), {}, Code.RESOURCE_EXHAUSTED],
    ['B3', '4 MiB and more', () => frame(new Uint8Array((4 << 20) + 1)), {}, Code.RESOURCE_EXHAUSTED],
    [
      'B3',
      'a gzip bomb of 64 MiB',
      () => frame(gzipSync(new Uint8Array(64 << 20)), { compressed: true }),
      { 'grpc-encoding': 'gzip' },
      Code.RESOURCE_EXHAUSTED,
    ],
    ['B4', 'brotli', () => frame(good, { compressed: true }), { 'grpc-encoding': 'br' }, Code.UNIMPLEMENTED],
    [
      'B4',
      'corrupt gzip',
      () => frame(Buffer.from('not gzip at all'), { compressed: true }),
      { 'grpc-encoding': 'gzip' },
      Code.INVALID_ARGUMENT,
    ],
    [
      'B4',
      'gzip with a wrong checksum',
      () => frame(corrupted(gzipSync(good)), { compressed: true }),
      { 'grpc-encoding': 'gzip' },
      Code.INVALID_ARGUMENT,
    ],
    [
      'B4',
      'truncated gzip',
      () => frame(gzipSync(good).subarray(0, 15), { compressed: true }),
      { 'grpc-encoding': 'gzip' },
      Code.INVALID_ARGUMENT,
    ],
  ])('%s: are refused with %s', async (_row, _what, body, headers, code) => {
    const answer = await send(body(), headers);
    expect(answer).toMatchObject({ httpStatus: 200, code });
    if (code === Code.INVALID_ARGUMENT) expect(answer.message).toMatch(/^the request cannot be decompressed/);
    if (code === Code.RESOURCE_EXHAUSTED) expect(answer.details.toString()).toContain('REQUEST_TOO_LARGE');
  });

  function corrupted(bytes: Buffer): Buffer {
    const copy = Buffer.from(bytes);
    copy.writeUInt8(copy.readUInt8(copy.length - 8) ^ 1, copy.length - 8);
    return copy;
  }

  it('B6: of JSON are not gRPC', async () => {
    const answer = await send(Buffer.from('{}'), { 'content-type': 'application/json' });
    expect(answer.httpStatus).toBe(constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE);
  });
});

describe('malformed messages', () => {
  it.each<[string, string, () => Uint8Array]>([
    ['B1', 'garbage', () => Buffer.from('ffffffffffffffffffff01', 'hex')],
    ['B1', 'a field of number 0', () => Uint8Array.of(0x02, 0x01, 0x61)],
    ['B10', 'invalid UTF-8', () => field(2, WireType.LengthDelimited, 2, 0xc3, 0x28)],
    ['B10', 'half a surrogate pair', () => field(2, WireType.LengthDelimited, 3, 0xed, 0xa0, 0x80)],
    ['B10', 'an overlong NUL', () => field(2, WireType.LengthDelimited, 2, 0xc0, 0x80)],
    ['B10', 'a truncated string', () => field(2, WireType.LengthDelimited, 200, 0x61)],
    ['B10', 'a wrong wire type', () => field(2, WireType.Varint, 5)],
  ])('%s: are refused with %s', async (_row, _what, bytes) => {
    expect((await refusalOf(world.rpc.send(getJob, bytes()))).code).toBe(Code.INVALID_ARGUMENT);
  });

  it('B1: are refused with 100 and more levels of causes, while 90 pass the decoder', async () => {
    const { reportAttempts } = SessionService.method;
    for (const depth of [100, 5_000]) {
      expect((await refusalOf(world.rpc.send(reportAttempts, nestedFailure(depth)))).code).toBe(Code.INVALID_ARGUMENT);
    }
    expect((await refusalOf(world.rpc.send(reportAttempts, nestedFailure(90)))).code).toBe(Code.INVALID_ARGUMENT);
  });

  it('B1: are refused with endlessly nested groups', async () => {
    const groups = new Uint8Array(1 << 20).fill((15 << 3) | WireType.StartGroup);
    expect((await refusalOf(world.rpc.send(getJob, groups))).code).toBe(Code.INVALID_ARGUMENT);
  });

  it('are refused with the place of the text that is not UTF-8', async () => {
    const latin = (text: string) => Buffer.from(text, 'latin1');
    const part = (number: number, bytes: Uint8Array) =>
      new BinaryWriter()
        .uint32((number << 3) | 2)
        .bytes(bytes)
        .finish();
    const { reportAttempts } = SessionService.method;
    const fault = part(2, part(4, Buffer.concat([part(1, latin('Error')), part(2, latin('le caf\xe9'))])));
    const report = await refusalOf(
      world.rpc.send(reportAttempts, Buffer.concat([part(2, part(1, latin('a'))), fault])),
    );
    expect(report).toMatchObject({ code: Code.INVALID_ARGUMENT, reason: 'INVALID_FIELD' });
    expect(report.fields).toEqual(['reports[1].failure.message']);
    expect(report.message).toBe(
      'reports[1].failure.message is not UTF-8, so muster.worker.v1.ReportAttemptsRequest cannot be decoded: replace the invalid bytes',
    );
    const labels = part(2, part(6, Buffer.concat([part(1, latin('size')), part(2, latin('gr\xf6\xdfe'))])));
    const submission = await refusalOf(world.rpc.send(JobService.method.submitJob, labels));
    expect(submission.fields).toEqual(['job.labels.value']);
  });

  it('are refused with the name of the message and the reason', async () => {
    const cut = await refusalOf(world.rpc.send(getJob, field(2, WireType.LengthDelimited, 200, 0x61)));
    expect(cut).toMatchObject({ code: Code.INVALID_ARGUMENT, reason: 'INVALID_FIELD', fields: [] });
    expect(cut.message).toMatch(/^muster\.v1\.GetJobRequest cannot be decoded: .+/);
  });

  it('do not include unknown fields, which are ignored', async () => {
    const newer = Buffer.concat([
      good,
      field(1_000, WireType.LengthDelimited, 3, 1, 2, 3),
      field(1_001, WireType.Bit32, 1, 2, 3, 4),
    ]);
    expect((await world.rpc.send(getJob, newer)).job?.jobId).toBe(jobId);
  });
});

describe('unknown methods', () => {
  it.each([
    ['a service', '/muster.v1.NoService/GetJob'],
    ['a method', '/muster.v1.JobService/NoMethod'],
    ['reflection', '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'],
    ['a path without a method', '/'],
  ])('B5: are refused: %s', async (_what, path) => {
    expect(await send(frame(good), {}, path)).toMatchObject({ code: Code.UNIMPLEMENTED });
  });
});

describe('deadlines', () => {
  it.each(['abc', '1x', ''])('B8: that are malformed are refused: %j', async (timeout) => {
    expect(await send(frame(good), { 'grpc-timeout': timeout })).toMatchObject({ code: Code.INTERNAL });
  });

  it.each(['0n', '0S'])('B9: that have passed are refused: %s', async (timeout) => {
    expect(await send(frame(good), { 'grpc-timeout': timeout })).toMatchObject({ code: Code.DEADLINE_EXCEEDED });
  });

  it('B9: that have passed change nothing', async () => {
    const idempotencyKey = 'submitted-too-late';
    const definition = await world.define();
    const request = create(SubmitJobRequestSchema, { job: { definition, idempotencyKey } });
    const late = await send(
      frame(toBinary(SubmitJobRequestSchema, request)),
      { 'grpc-timeout': '0n' },
      '/muster.v1.JobService/SubmitJob',
    );
    expect(late.code).toBe(Code.DEADLINE_EXCEEDED);
    expect(await world.rpc.call(submitJob, request)).toMatchObject({ existing: false });
  });

  it.each(['-5S', '1.5S'])('of odd forms are read as 5 s by the library: %s', async (timeout) => {
    expect(await send(frame(good), { 'grpc-timeout': timeout })).toMatchObject({ code: Code.OK });
  });

  it.each(['2147484S', '99999999S', '99999999M', '720H', '99999999H'])(
    'beyond 24 days do not fail at once: %s',
    async (timeout) => {
      expect(await send(frame(good), { 'grpc-timeout': timeout })).toMatchObject({ code: Code.OK });
    },
  );

  it('end a wait after 200 ms, on the server and on the client', async () => {
    const waiting = create(waitJob.input, { jobId, timeout: { seconds: 60n } });
    const start = performance.now();
    const answer = await send(frame(toBinary(waitJob.input, waiting)), { 'grpc-timeout': '200m' }, WAIT_JOB);
    expect(answer.code).toBe(Code.DEADLINE_EXCEEDED);
    expect(performance.now() - start).toBeGreaterThanOrEqual(199);
    const refusal = await world.rpc.refused(waitJob, { jobId, timeout: { seconds: 60n } }, { timeoutMs: 200 });
    expect(refusal.code).toBe(Code.DEADLINE_EXCEEDED);
  });
});

describe('the RPCs of the contract', () => {
  it.each(allMethods.map((method) => [method.name, method] as const))('include %s', async (_name, method) => {
    // A stream that stays open ends with this deadline.
    const sent = world.rpc.send(method as typeof getJob, new Uint8Array(), { timeoutMs: 2_000 });
    const answer = await sent.catch((error: unknown) => error);
    expect(answer instanceof Refusal ? answer.code : 0).not.toBe(Code.UNIMPLEMENTED);
  });
});

describe('the health service', () => {
  const check = '/grpc.health.v1.Health/Check';

  /** The number of the status: 1 is SERVING. */
  async function statusOf(service: string): Promise<number | undefined> {
    const request = new BinaryWriter()
      .uint32((1 << 3) | 2)
      .string(service)
      .finish();
    const answer = await send(frame(service === '' ? new Uint8Array() : request), {}, check);
    return answer.code === Code.OK ? answer.body.at(-1) : undefined;
  }

  it('serves the whole and each service', async () => {
    for (const service of ['', ...allServices.map(({ typeName }) => typeName)]) expect(await statusOf(service)).toBe(1);
  });

  it('reports an unknown service', async () => {
    expect(await statusOf('muster.v1.NoService')).toBeUndefined();
  });

  it('answers over HTTP, too', async () => {
    const get = async (path: string) => {
      const answer = await fetch(world.replica.httpAddress + path);
      return [answer.status, await answer.json()];
    };
    expect(await get('/healthz')).toEqual([200, { status: 'ok', version, protocolVersion: 1 }]);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const ready = { status: 'ready', database: true, bus: true, events: true, time, daysAhead: 7 };
    expect(await get('/readyz')).toEqual([200, ready]);
    expect((await get('/etc/passwd'))[0]).toBe(404);
  });
});

describe('the replica after all of these messages', () => {
  it('still answers good requests next to bad ones', async () => {
    const rubbish = Array.from({ length: 50 }, () =>
      send(frame(gzipSync(good).subarray(0, 15), { compressed: true }), { 'grpc-encoding': 'gzip' }),
    );
    const answers = await Promise.all(Array.from({ length: 50 }, () => world.stateOf(jobId)));
    expect(new Set(answers)).toEqual(new Set(['READY']));
    expect(new Set((await Promise.all(rubbish)).map(({ code }) => code))).toEqual(new Set([Code.INVALID_ARGUMENT]));
  });
});
