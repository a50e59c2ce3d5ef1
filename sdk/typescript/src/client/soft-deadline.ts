/** Converts soft deadlines to messages: strings stand for enums, milliseconds and dates for times. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { durationFromMs } from '../duration.ts';
import type { SoftDeadline } from '../gen/muster/v1/soft_deadline_pb.ts';
import { DeadlineReaction, SoftDeadlineSchema } from '../gen/muster/v1/soft_deadline_pb.ts';
import { refuseUnknownFields } from '../options/known-fields.ts';
import type { Known } from '../options/known-options.ts';
import { refuseUnknownOptions } from '../options/known-options.ts';
import { codeOf } from './words.ts';

/** A time by which a job should have ended. Give either `afterMs` or `time`. */
export interface SoftDeadlineOptions {
  /** In milliseconds from when the job may run. At least 1,000, at most 10 years. */
  readonly afterMs?: number;
  /** The time itself. Of a submission only. */
  readonly time?: Date;
  /** What happens to a job that has not ended by then. Default: NOTIFY, no more than an event and a metric. */
  readonly reaction?: 'NOTIFY' | 'RAISE_PRIORITY' | 'CANCEL';
  /** The new priority, with RAISE_PRIORITY. From -100 to 100. Default: 100. */
  readonly priority?: number;
}

const known: Known<SoftDeadlineOptions> = { afterMs: true, time: true, reaction: true, priority: true };

/** Options, or the message of the contract. */
export type SoftDeadlineInit = SoftDeadlineOptions | MessageInitShape<typeof SoftDeadlineSchema>;

/**
 * @param where Where it is in the call, for errors.
 * @throws TypeError when a field or the reaction is unknown, or both `afterMs` and `time` are given.
 */
export function softDeadline(init: SoftDeadlineInit, where = 'softDeadline'): SoftDeadline {
  if ('due' in init || '$typeName' in init) {
    refuseUnknownFields(where, SoftDeadlineSchema, init);
    return create(SoftDeadlineSchema, init as MessageInitShape<typeof SoftDeadlineSchema>);
  }
  refuseUnknownOptions(where, init, known);
  const { afterMs, time, reaction, priority } = init as SoftDeadlineOptions;
  if (afterMs !== undefined && time !== undefined) throw new TypeError('give either afterMs or time');
  const message = create(SoftDeadlineSchema, { reaction: codeOf(DeadlineReaction, reaction, 'reaction') });
  if (afterMs !== undefined) message.due = { case: 'after', value: durationFromMs(afterMs) };
  if (time !== undefined) message.due = { case: 'time', value: timestampFromDate(time) };
  if (priority !== undefined) message.priority = priority;
  return message;
}
