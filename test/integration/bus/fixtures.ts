/** Shared fixtures of the bus tests: a log that records, a client in place of a worker, and some assignments. */
import { randomUUID } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import { type SessionMessage, SessionMessageSchema } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { connect, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { expect } from 'vitest';
import { issueSessionJwt } from '../../../server/bus/session-jwt.ts';
import type { Assignment } from '../../../server/engine/base/messages.ts';
import type { Log, SessionAccess } from '../../../server/engine/ports/ports.ts';
import type { ScratchNats } from '../../support/base/nats.ts';

export interface CapturedLog extends Log {
  readonly lines: string[];
}

export function captureLog(): CapturedLog {
  const lines: string[] = [];
  const note = (level: string) => (facts: Record<string, unknown>, message: string) => {
    lines.push(`${level} ${message} ${JSON.stringify(facts)}`);
  };
  return { lines, info: note('info'), warn: note('warn'), error: note('error') };
}

/** Waits until `condition` holds; fails after 20 s. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  await expect.poll(condition, { timeout: 20_000, interval: 5, message: what }).toBe(true);
}

export interface Worker {
  readonly connection: NatsConnection;
  readonly messages: SessionMessage[];
  /** Sizes of the messages, in bytes. */
  readonly sizes: number[];
  /** Status events of the connection: their type, and the message of an error. */
  readonly statuses: string[];
  listen(subject: string): Promise<void>;
}

/** A client with a session's credentials that records its connection status and has no subscription yet. */
export async function connectWorker(access: Pick<SessionAccess, 'natsUrls' | 'credentials'>): Promise<Worker> {
  const { jwt, seed } = access.credentials;
  const connection = await connect({
    servers: [...access.natsUrls],
    ...(jwt ? { authenticator: jwtAuthenticator(jwt, Buffer.from(seed)) } : {}),
    reconnectTimeWait: 20,
    reconnectJitter: 0,
    maxReconnectAttempts: -1,
  });
  const worker: Worker = {
    connection,
    messages: [],
    sizes: [],
    statuses: [],
    async listen(subject) {
      connection.subscribe(subject, {
        callback: (error, message) => {
          if (error) return;
          worker.sizes.push(message.data.length);
          worker.messages.push(fromBinary(SessionMessageSchema, message.data));
        },
      });
      await connection.flush();
    },
  };
  void watch(worker);
  return worker;
}

async function watch(worker: Worker): Promise<void> {
  for await (const status of worker.connection.status()) {
    worker.statuses.push(status.type === 'error' ? `error ${status.error.message}` : status.type);
  }
}

/** Access for a session of the scratch server, valid for `lifeMs`. */
export function accessOf(nats: ScratchNats, sessionId: string, lifeMs?: number): SessionAccess {
  const { accountId, accountKey } = nats.server.trust;
  const credentials = issueSessionJwt({ accountId, signingKey: accountKey, lifeMs }, sessionId, Date.now());
  return { natsUrls: [nats.url], subject: `muster.v1.session.${sessionId}`, credentials };
}

export function makeAssignment(changes: Partial<Assignment> = {}): Assignment {
  return {
    jobId: randomUUID(),
    attempt: 3,
    creditId: 41,
    prefetch: true,
    namespace: 'default',
    definition: 'flight-delays',
    definitionVersion: 7,
    handler: 'flights.delay',
    input: { data: Buffer.alloc(100, 'a'), contentType: 'application/json' },
    runTimeoutMs: 3_600_500,
    leaseLossAction: 'CONTINUE',
    attemptCount: 2,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: '',
    ...changes,
  };
}

/** Whether a process of this pid runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
