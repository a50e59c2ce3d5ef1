/** Conversion of soft deadlines given as objects to messages. Messages are passed through. */
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { definitionMessage } from '../../../sdk/typescript/src/client/definition.ts';
import { jobSubmission } from '../../../sdk/typescript/src/client/jobs/submission.ts';
import { softDeadline } from '../../../sdk/typescript/src/client/soft-deadline.ts';
import { DeadlineReaction, SoftDeadlineSchema } from '../../../sdk/typescript/src/gen/muster/v1/soft_deadline_pb.ts';

const second = { seconds: 1n, nanos: 0 };

describe('a soft deadline', () => {
  test('as an object can express everything in the contract', () => {
    expect(softDeadline({ afterMs: 1_000, reaction: 'RAISE_PRIORITY', priority: 0 })).toMatchObject({
      due: { case: 'after', value: second },
      reaction: DeadlineReaction.RAISE_PRIORITY,
      priority: 0,
    });
    expect(softDeadline({ time: new Date(1_000) })).toMatchObject({
      due: { case: 'time', value: second },
      reaction: 0,
    });
    expect(softDeadline({})).toEqual(create(SoftDeadlineSchema));
  });

  test('as a message stays as it is', () => {
    const message = create(SoftDeadlineSchema, { due: { case: 'after', value: second }, reaction: 3 });
    expect(softDeadline(message)).toEqual(message);
    expect(softDeadline({ due: { case: 'after', value: second }, reaction: 3 })).toEqual(message);
  });

  test('is part of a definition and of a submission', () => {
    const due = { due: { case: 'after', value: second } };
    expect(definitionMessage({ name: 'd', softDeadline: { afterMs: 1_000 } }, '').softDeadline).toMatchObject(due);
    expect(jobSubmission('d', 1, { softDeadline: { afterMs: 1_000 } }).softDeadline).toMatchObject(due);
  });

  test('with two times, or an unknown reaction, is refused', () => {
    expect(() => softDeadline({ afterMs: 1, time: new Date() })).toThrow('give either afterMs or time');
    expect(() => softDeadline({ reaction: 'PANIC' as 'CANCEL' })).toThrow('there is no reaction "PANIC"');
  });
});
