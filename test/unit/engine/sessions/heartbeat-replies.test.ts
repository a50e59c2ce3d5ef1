/** Replies to heartbeats stay below the largest message that a gRPC client accepts. */
import { create, toBinary } from '@bufbuild/protobuf';
import { SendHeartbeatResponseSchema } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { describe, expect, it } from 'vitest';
import type { Assignment } from '../../../../server/engine/base/messages.ts';
import { UnspentCredits } from '../../../../server/engine/dispatch/unspent-credits.ts';
import type { HeldRun } from '../../../../server/engine/ports/attempts.ts';
import type { ClaimedJob } from '../../../../server/engine/ports/dispatch.ts';
import { Sessions, type SessionsParts } from '../../../../server/engine/sessions/sessions.ts';
import { toAssignmentMessage } from '../../../../server/wire/assignment.ts';
import { constantRandom, VirtualTime } from '../base/virtual-time.ts';

const MAX_MESSAGE = 4 << 20;
const sessionId = '0198c0de-0000-7000-8000-000000000001';

function assignmentsOf(from: number, count: number, bytes: number): Assignment[] {
  return Array.from({ length: count }, (_, i) => ({
    jobId: `0198c0de-0000-7000-8000-${String(from + i).padStart(12, '0')}`,
    attempt: 1,
    creditId: 1,
    prefetch: false,
    namespace: 'default',
    definition: 'mail',
    definitionVersion: 1,
    handler: 'mail',
    input: { data: new Uint8Array(bytes), contentType: 'application/json', metadata: { of: 'x'.repeat(1_000) } },
    runTimeoutMs: 1_000,
    leaseLossAction: 'ABORT',
    attemptCount: 0,
    traceparent: '',
    tracestate: '',
  }));
}

/** A session with the bus down; the store knows of `missing` assignments that it does not list, and grants `fresh`. */
function sessionsWith(missing: readonly Assignment[], fresh: readonly Assignment[]): Sessions {
  const time = new VirtualTime();
  const counters = { beats: 5, pingEcho: 4, previousBeatUs: 1_000, beatUs: 2_000, draining: false, drainWanted: false };
  const row = { sessionId, state: 'OPEN', namespace: 'default', handlers: [], labels: {}, resources: {}, ...counters };
  const parts = {
    store: {
      renewSessions: async () => [{ sessionId, ...counters }],
      readSessions: async () => [row],
      readHeld: async () =>
        missing.map(({ jobId, attempt }) => ({ jobId, attempt, state: 'ASSIGNED', assignTimeUs: 0 }) as HeldRun),
      readAssigned: async () => missing as unknown as ClaimedJob[],
    },
    dispatcher: {
      wake: () => {},
      claimFor: async () => [...fresh],
      assignmentOf: (job: ClaimedJob) => job as unknown as Assignment,
    },
    credits: new UnspentCredits(time),
    bus: { isUp: () => false, ping: () => {} },
    times: { beatMs: 5_000, leaseMs: 15_000 },
    dbClock: { nowUs: () => 2_000 },
    timers: time,
    random: constantRandom(0.5),
    loadLanes: async () => {},
  };
  return new Sessions(parts as unknown as SessionsParts);
}

async function reply(missing: readonly Assignment[], fresh: readonly Assignment[]): Promise<readonly Assignment[]> {
  const beat = { sessionId, held: [], credits: [], voidedCreditIds: [], progress: [], logs: [] };
  const { assignments } = await sessionsWith(missing, fresh).beat({ ...beat, pingEcho: 4, draining: false });
  return assignments;
}

function bytesOf(assignments: readonly Assignment[]): number {
  const message = create(SendHeartbeatResponseSchema, { assignments: assignments.map(toAssignmentMessage) });
  return toBinary(SendHeartbeatResponseSchema, message).length;
}

describe('the reply to a heartbeat', () => {
  it('has the claimed jobs that fit into a message, however many were claimed', async () => {
    const large = await reply([], assignmentsOf(0, 16, 512 << 10));
    expect(large.length).toBeGreaterThan(3);
    expect(bytesOf(large)).toBeLessThan(MAX_MESSAGE);
    const small = await reply([], assignmentsOf(0, 10_000, 20));
    expect(small.length).toBeGreaterThan(1_000);
    expect(bytesOf(small)).toBeLessThan(MAX_MESSAGE);
  });

  it('has the jobs that an earlier one left out first, and at least one job', async () => {
    const both = await reply(assignmentsOf(0, 8, 500_000), assignmentsOf(100, 8, 500_000));
    expect(bytesOf(both)).toBeLessThan(MAX_MESSAGE);
    expect(both.map(({ jobId }) => Number(jobId.slice(-4)))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await reply([], assignmentsOf(0, 2, 5 << 20))).toHaveLength(1);
  });
});
