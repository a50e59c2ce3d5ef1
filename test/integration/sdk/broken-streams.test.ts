/** A client's stream that breaks continues where it was, over real gRPC; nothing is delivered twice. */
import { create, type DescMethodServerStreaming, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { Client, Code, JobState } from '@muster-jobs/sdk';
import {
  EventService,
  type WatchEventsRequest,
  WatchEventsResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/event_service_pb';
import {
  JobService,
  type WatchAttemptLogsRequest,
  WatchAttemptLogsResponseSchema,
  WatchJobResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterEach, expect, it } from 'vitest';

/** The messages of a stream before its end, or before it breaks with a code. */
interface Stream {
  readonly messages: readonly Message[];
  readonly breaksWith?: grpc.status;
}

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean();
});

/** Serves one method. Returns a client of it, and the received requests. */
async function serve(method: DescMethodServerStreaming, streams: readonly Stream[]) {
  const requests: Message[] = [];
  const server = new grpc.Server();
  const definition: grpc.MethodDefinition<Message, Message> = {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: false,
    responseStream: true,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: (bytes) => fromBinary(method.input, bytes),
    responseSerialize: (message) => Buffer.from(toBinary(method.output, message)),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes),
  };
  server.addService({ watch: definition } as grpc.ServiceDefinition, {
    watch(call: grpc.ServerWritableStream<Message, Message>) {
      const stream = streams[requests.push(call.request) - 1];
      for (const message of stream?.messages ?? []) call.write(message);
      if (stream?.breaksWith === undefined) call.end();
      else call.emit('error', { code: stream.breaksWith, details: 'broken' });
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  const client = new Client({ address: `127.0.0.1:${port}` });
  cleanUps.push(
    () => server.forceShutdown(),
    () => client.close(),
  );
  return { client, requests };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

it('a watched job survives broken streams', async () => {
  const at = (revision: bigint, state: JobState) => create(WatchJobResponseSchema, { job: { revision, state } });
  const { client, requests } = await serve(JobService.method.watchJob, [
    { messages: [at(1n, JobState.READY)] },
    { messages: [], breaksWith: grpc.status.UNAVAILABLE },
    { messages: [at(1n, JobState.READY), at(3n, JobState.RUNNING)], breaksWith: grpc.status.UNAVAILABLE },
    { messages: [at(3n, JobState.RUNNING), at(5n, JobState.SUCCEEDED)] },
  ]);
  expect((await all(client.watch('j'))).map(({ revision }) => revision)).toEqual([1n, 3n, 5n]);
  expect(requests).toHaveLength(4);
});

it('a followed log survives broken streams', async () => {
  const inbox = (resumeToken: string, sequences: readonly bigint[], ended = false) =>
    create(WatchAttemptLogsResponseSchema, {
      resumeToken,
      records: sequences.map((sequence) => ({ sequence })),
      ended,
    });
  const { client, requests } = await serve(JobService.method.watchAttemptLogs, [
    { messages: [inbox('start', []), inbox('a', [1n, 2n])], breaksWith: grpc.status.UNAVAILABLE },
    { messages: [inbox('b', [3n])] },
    { messages: [inbox('c', [4n], true)] },
  ]);
  const records = await all(client.logs('j', { attempt: 2, follow: true }));
  expect(records.map(({ sequence }) => sequence)).toEqual([1n, 2n, 3n, 4n]);
  expect((requests as WatchAttemptLogsRequest[]).map(({ attempt, resumeToken }) => [attempt, resumeToken])).toEqual([
    [2, ''],
    [2, 'a'],
    [2, 'b'],
  ]);
});

it('watched events survive broken streams', async () => {
  const page = (position: bigint, ...jobIds: string[]) =>
    create(WatchEventsResponseSchema, { position, events: jobIds.map((jobId) => ({ jobId })) });
  const { client, requests } = await serve(EventService.method.watchEvents, [
    { messages: [page(5n, 'a', 'b')], breaksWith: grpc.status.UNAVAILABLE },
    { messages: [page(6n, 'c')] },
    { messages: [page(7n, 'd'), page(7n)] },
  ]);
  const pages = await all(client.watchEvents({ keptOnly: true, states: [JobState.FAILED] }));
  expect(pages.flatMap(({ events }) => events.map(({ jobId }) => jobId))).toEqual(['a', 'b', 'c', 'd']);
  expect((requests as WatchEventsRequest[]).map(({ afterPosition }) => afterPosition)).toEqual([undefined, 5n, 6n]);
  expect(requests[2]).toMatchObject({ states: [JobState.FAILED], keptOnly: true });
});

it('a refused stream is not opened again', async () => {
  const { client, requests } = await serve(EventService.method.watchEvents, [
    { messages: [], breaksWith: grpc.status.OUT_OF_RANGE },
  ]);
  await expect(all(client.watchEvents({ after: 0n }))).rejects.toMatchObject({ code: Code.OUT_OF_RANGE });
  expect(requests).toHaveLength(1);
});
