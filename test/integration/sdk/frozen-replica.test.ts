/** A client of several replicas, one of which accepts connections and calls and never answers, as a stopped process. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { Client, JobState } from '@muster-jobs/sdk';
import { GetJobResponseSchema, JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { afterEach, expect, it } from 'vitest';
import { Calls } from '../../../server/api/base/calls.ts';
import { startGrpcServer } from '../../../server/api/base/servers/grpc-server.ts';
import { IncomingBytes } from '../../../server/api/base/servers/incoming-bytes.ts';

const PREFACE_BYTES = 24;
const FRAME_HEADER_BYTES = 9;
/** Makes the connection usable. */
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const HEADERS = 1;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean();
});

class FrozenReplica {
  calls = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => this.#take(socket));

  async start(): Promise<number> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    socket.write(EMPTY_SETTINGS);
    let unread = Buffer.alloc(0);
    let skip = PREFACE_BYTES;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      unread = Buffer.concat([unread, bytes]);
      while (unread.length >= skip + FRAME_HEADER_BYTES) {
        const frame = unread.subarray(skip);
        if (frame[3] === HEADERS) this.calls++;
        unread = frame;
        skip = FRAME_HEADER_BYTES + frame.readUIntBE(0, 3);
      }
    });
  }
}

async function startReplica(): Promise<number> {
  const methods = JobService.methods.map((method) => [method.localName, async () => ({})]);
  const handlers = Object.fromEntries(methods);
  handlers.getJob = async () => create(GetJobResponseSchema, { job: { jobId: 'j', state: JobState.READY } });
  const calls = new Calls({ info() {}, warn() {}, error() {} }, { ended: () => {} });
  const options = { host: '127.0.0.1', port: 0, incoming: new IncomingBytes() };
  const server = await startGrpcServer([{ service: JobService, handlers }], calls, options);
  cleanUps.push(() => server.stop());
  return server.port;
}

it('a call to a replica that does not answer goes to another one in its share of the time', async () => {
  const frozen = new FrozenReplica();
  cleanUps.push(() => frozen.stop());
  const ports = [await frozen.start(), await startReplica()];
  const address = `ipv4:${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
  // Enough for three tries: a balancer that has just connected to the other replica may choose this one twice.
  const client = new Client({ address, timeoutMs: 6_000 });
  cleanUps.push(() => client.close());
  while (frozen.calls === 0) expect((await client.get('j')).jobId).toBe('j');
});
