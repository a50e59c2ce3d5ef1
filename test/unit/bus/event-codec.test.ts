/** Encoded events: CloudEvents in the batch format, each in the contract's JSON mapping, within a size limit. */
import { fromJson } from '@bufbuild/protobuf';
import { JobEventSchema } from '@muster-jobs/sdk/gen/muster/v1/event_pb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEvents, encodeEvents } from '../../../server/bus/event-codec.ts';
import { systemFailure } from '../../../server/domain/base/payload.ts';
import { uuidToBytes } from '../../../server/domain/base/uuid.ts';
import { type WaitReason, waitReasons } from '../../../server/domain/explain/wait-reasons.ts';
import type { JobState } from '../../../server/domain/jobs/job-state.ts';
import { stateCodes } from '../../../server/domain/jobs/job-state.ts';
import type { EventBatch } from '../../../server/engine/ports/events.ts';
import { eventsOf } from '../../support/store/published-events.ts';

const jobId = '0198c0de-0000-7000-8000-000000000001';
const eventTimeUs = 1_772_366_400_000_123;
type Change = EventBatch['changes'][number];
const sample: Change = {
  jobIds: uuidToBytes(jobId),
  definition: 'send-mail',
  revision: 3,
  attempt: 1,
  previousState: 'RUNNING',
  state: 'SUCCEEDED',
  failure: undefined,
};
const batchOf = (changes: readonly Change[]): EventBatch => ({
  batchId: '7/x',
  namespace: 'default',
  eventTimeUs,
  changes,
});
const textOf = (data: Uint8Array) => Buffer.from(data).toString();
const MIB = 1 << 20;

const changes = fc.record({
  jobIds: fc
    .array(fc.uint8Array({ minLength: 16, maxLength: 16 }), { minLength: 1, maxLength: 30 })
    .map((ids) => new Uint8Array(Buffer.concat(ids))),
  definition: fc.constantFrom('a', 'b.c-d_e'),
  revision: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  attempt: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  previousState: fc.constantFrom<(JobState | undefined)[]>(undefined, 'READY', 'RUNNING', 'CANCELLING'),
  state: fc.constantFrom(...(Object.keys(stateCodes) as JobState[])),
  waitReason: fc.constantFrom<(WaitReason | undefined)[]>(undefined, ...(Object.keys(waitReasons) as WaitReason[])),
  failure: fc.option(
    fc.string({ unit: 'grapheme', maxLength: 200 }).map((text) => ({
      ...systemFailure('APPLICATION', 'Oops', text),
      exitCode: undefined,
    })),
    { nil: undefined },
  ),
});

describe('events', () => {
  it('are CloudEvents', () => {
    const [message] = encodeEvents(batchOf([sample]), MIB);
    expect(message?.messageId).toBe('7/x');
    expect(JSON.parse(textOf(message?.data as Uint8Array))).toEqual([
      {
        specversion: '1.0',
        id: `${jobId}/3`,
        source: '/muster/namespaces/default',
        type: 'dev.muster.v1.job.succeeded',
        subject: jobId,
        time: '2026-03-01T12:00:00.000123Z',
        data: {
          definition: 'send-mail',
          revision: '3',
          previousState: 'JOB_STATE_RUNNING',
          state: 'JOB_STATE_SUCCEEDED',
          attempt: 1,
        },
      },
    ]);
  });

  it('carry a JobEvent of the contract with its failure', () => {
    const failure = { ...systemFailure('LOST_WORKER', 'Lost', 'gone'), nonRetryable: true, exitCode: 137 };
    const [message] = encodeEvents(batchOf([{ ...sample, state: 'FAILED', failure }]), MIB);
    const [{ data }] = JSON.parse(textOf(message?.data as Uint8Array));
    expect(fromJson(JobEventSchema, data)).toMatchObject({
      revision: 3n,
      state: stateCodes.FAILED,
      previousState: stateCodes.RUNNING,
      failure: { type: 'Lost', message: 'gone', failureCause: 3, nonRetryable: true, exitCode: 137 },
    });
  });

  it('survive encoding with any content and any split into messages', () => {
    fc.assert(
      fc.property(fc.array(changes, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 8_000 }), (all, max) => {
        const batch = batchOf(all);
        const messages = encodeEvents(batch, max);
        expect(messages.flatMap(({ data }) => decodeEvents(data))).toEqual(eventsOf(batch));
        expect(new Set(messages.map(({ messageId }) => messageId)).size).toBe(messages.length);
        for (const { data } of messages) if (data.length > max) expect(JSON.parse(textOf(data))).toHaveLength(1);
        const again = encodeEvents(batch, max);
        expect(again.map(({ messageId }) => messageId)).toEqual(messages.map(({ messageId }) => messageId));
        expect(again.map(({ data }) => textOf(data))).toEqual(messages.map(({ data }) => textOf(data)));
      }),
    );
  });

  it('with a state of a later release are skipped', () => {
    const text = textOf(encodeEvents(batchOf([sample, sample]), MIB)[0]?.data as Uint8Array);
    expect(decodeEvents(Buffer.from(text.replace('JOB_STATE_SUCCEEDED', 'JOB_STATE_DREAMING')))).toEqual(
      eventsOf(batchOf([sample])),
    );
  });
});
