/** Requests that arrive slowly, or too many at once: both ports end them, and keep no bytes of them. */
import { request } from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { UniversalServerRequest, UniversalServerResponse } from '@connectrpc/connect/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Calls } from '../../../../server/api/base/calls.ts';
import { Code } from '../../../../server/api/base/code.ts';
import { type GrpcServer, startGrpcServer } from '../../../../server/api/base/servers/grpc-server.ts';
import type { Health } from '../../../../server/api/base/servers/health.ts';
import { type HttpServer, type Routes, startHttpServer } from '../../../../server/api/base/servers/http-server.ts';
import { IncomingBytes } from '../../../../server/api/base/servers/incoming-bytes.ts';
import { eventually } from '../../../support/base/eventually.ts';

const CHECK = '/grpc.health.v1.Health/Check';
const WATCH = '/grpc.health.v1.Health/Watch';
const log = { info: () => {}, warn: () => {}, error: () => {} };
const host = '127.0.0.1';
const incoming = new IncomingBytes({ maxBytes: 300_000, maxBytesPerConnection: 200_000 });
const sessions: ClientHttp2Session[] = [];
let server: GrpcServer;
/** Its requests have to arrive within 100 ms, and its connections may be idle for as long. */
let hasty: GrpcServer;
let web: HttpServer;
/** Its requests have to arrive within 120 ms. */
let hastyWeb: HttpServer;

/** Reads the whole request. */
async function readAll({ body }: UniversalServerRequest): Promise<UniversalServerResponse> {
  for await (const _chunk of body as AsyncIterable<Uint8Array>);
  return { status: 200 };
}

beforeAll(async () => {
  const calls = new Calls(log, { ended: () => {} });
  server = await startGrpcServer([], calls, { host, port: 0, incoming });
  hasty = await startGrpcServer([], calls, { host, port: 0, incoming, requestMs: 100, idleMs: 100 });
  const routes = new Map([['/read', readAll]]) as unknown as Routes;
  const health: Health = {
    release: { version: '0', protocolVersion: 0 },
    ready: () => Promise.reject(new Error('no')),
  };
  const access = { hosts: [], corsOrigins: [] };
  const metrics = { contentType: '', read: async () => '' };
  const options = { host, port: 0, access, metrics, incoming, log };
  web = await startHttpServer(routes, health, options);
  hastyWeb = await startHttpServer(routes, health, { ...options, requestMs: 120 });
});

afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await eventually('no bytes are kept', () => incoming.total === 0);
});

afterAll(() => Promise.all([server, hasty, web, hastyWeb].map((one) => one?.stop())));

function open({ port } = server): ClientHttp2Session {
  const session = connect(`http://${host}:${port}`);
  session.on('error', () => {});
  sessions.push(session);
  return session;
}

/** A call that has sent the head of a message of 4 MB, and this many bytes of it. */
function half(session: ClientHttp2Session, bytes: number): ClientHttp2Stream {
  const headers = { ':method': 'POST', ':path': CHECK, 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request(headers);
  stream.on('error', () => {});
  const head = Buffer.alloc(5);
  head.writeUInt32BE(4_000_000, 1);
  stream.write(Buffer.concat([head, Buffer.alloc(bytes - head.length)]));
  return stream;
}

const codeOf = (stream: ClientHttp2Stream) =>
  new Promise<number>((resolve) => {
    stream.on('response', (headers) => resolve(Number(headers['grpc-status'])));
    stream.on('close', () => resolve(-1));
  });

describe('a request that arrives', () => {
  it('in two parts is answered', async () => {
    const stream = open().request({ ':method': 'POST', ':path': CHECK, 'content-type': 'application/grpc' });
    const status = new Promise((resolve) => stream.on('trailers', (trailers) => resolve(trailers['grpc-status'])));
    stream.resume();
    stream.write(Buffer.alloc(2));
    await eventually('the first part is there', () => incoming.total === 2);
    stream.end(Buffer.alloc(3));
    expect(await status).toBe('0');
  });

  it('never completely is ended after a time', async () => {
    const stream = half(open(hasty), 1_000);
    expect(await codeOf(stream)).toBe(Code.DEADLINE_EXCEEDED);
    await eventually('its bytes are given back', () => incoming.total === 0);
  });

  it('with a message, but without an end, is ended after a time', async () => {
    const stream = open(hasty).request({ ':method': 'POST', ':path': CHECK, 'content-type': 'application/grpc' });
    stream.write(Buffer.alloc(5));
    expect(await codeOf(stream)).toBe(Code.DEADLINE_EXCEEDED);
  });

  it('beyond the bytes of its connection is refused, and other connections are served', async () => {
    const session = open();
    half(session, 190_000);
    await eventually('the bytes are there', () => incoming.total === 190_000);
    expect(await codeOf(half(session, 20_000))).toBe(Code.RESOURCE_EXHAUSTED);
    half(open(), 20_000);
    await eventually('the other one is taken', () => incoming.total >= 200_000);
    expect(await codeOf(half(open(), 190_000))).toBe(Code.RESOURCE_EXHAUSTED);
  });

  it('in part only keeps no bytes once its connection has gone', async () => {
    const session = open();
    half(session, 50_000);
    await eventually('the bytes are there', () => incoming.total === 50_000);
    session.destroy();
    await eventually('they are given back', () => incoming.total === 0);
  });

  it('over HTTP never completely is ended after a time', async () => {
    const call = request({ host, port: hastyWeb.port, path: '/read', method: 'POST' });
    const status = new Promise((resolve, reject) => {
      call.on('response', ({ statusCode }) => resolve(statusCode));
      call.on('error', reject);
    });
    call.write(Buffer.alloc(1_000));
    expect(await status).toBe(408);
    call.destroy();
  }, 20_000);

  it('over HTTP keeps no bytes once its connection has gone, either', async () => {
    const call = request({ host, port: web.port, path: '/read', method: 'POST' });
    call.on('error', () => {});
    call.write(Buffer.alloc(50_000));
    await eventually('the bytes are there', () => incoming.total === 50_000);
    call.destroy();
    await eventually('they are given back', () => incoming.total === 0);
  });
});

describe('a connection', () => {
  it('without a call is closed after a time, and one with a call is not', async () => {
    const idle = open(hasty);
    const watching = open(hasty);
    const watch = watching.request({ ':method': 'POST', ':path': WATCH, 'content-type': 'application/grpc' });
    watch.end(Buffer.alloc(5));
    const first = await Promise.race([
      new Promise((resolve) => idle.on('close', () => resolve('idle'))),
      new Promise((resolve) => watching.on('close', () => resolve('watching'))),
    ]);
    expect(first).toBe('idle');
    expect(watching.closed).toBe(false);
  }, 20_000);
});
