/** Converts soft deadlines between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import {
  SoftDeadlineSchema,
  DeadlineReaction as WireReaction,
  type SoftDeadline as WireSoftDeadline,
} from '@muster-jobs/sdk/gen/muster/v1/soft_deadline_pb';
import { deadlineReactions, reactionOf, type SoftDeadline } from '../../domain/jobs/soft-deadline.ts';
import { checkRange, durationMs, isKnown, TEN_YEARS_MS, timestampUs } from '../base/checks.ts';
import { durationTo, timestampTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';

const SECOND_MS = 1_000;
const HIGHEST_PRIORITY = 100;

/** `isShared`: it is the deadline of many jobs, and can't be one time. */
export function softDeadlineFrom(
  wire: WireSoftDeadline | undefined,
  field: string,
  violations: Violations,
  isShared = false,
): SoftDeadline | undefined {
  if (!wire) return undefined;
  const { due, reaction, priority = HIGHEST_PRIORITY } = wire;
  violations.check(due.case !== undefined, field, isShared ? 'needs after' : 'needs after or time');
  violations.check(
    !isShared || due.case !== 'time',
    `${field}.time`,
    'would be the same for all jobs; set after, which counts from when each may run',
  );
  violations.check(isKnown(WireReaction, reaction), `${field}.reaction`, `has the unknown value ${reaction}`);
  violations.check(
    wire.priority === undefined || reaction === WireReaction.RAISE_PRIORITY,
    `${field}.priority`,
    'applies to the reaction RAISE_PRIORITY only',
  );
  checkRange(priority, -100, HIGHEST_PRIORITY, `${field}.priority`, violations);
  return { ...dueFrom(due, field, violations), reaction: reactionOf(reaction) ?? 'NOTIFY', priority };
}

function dueFrom(
  due: WireSoftDeadline['due'],
  field: string,
  violations: Violations,
): Pick<SoftDeadline, 'afterMs' | 'timeUs'> {
  if (due.case === 'time') return { timeUs: timestampUs(due.value, `${field}.time`, violations) ?? 0 };
  if (due.case === undefined) return {};
  return { afterMs: durationMs(due.value, SECOND_MS, TEN_YEARS_MS, `${field}.after`, violations) ?? SECOND_MS };
}

/** The empty object without one. */
export function softDeadlineTo(deadline: SoftDeadline | undefined): { softDeadline?: WireSoftDeadline } {
  if (!deadline) return {};
  const { afterMs = 0, timeUs, reaction, priority } = deadline;
  const time = timestampTo(timeUs);
  const softDeadline = create(SoftDeadlineSchema, {
    due: time ? { case: 'time', value: time } : { case: 'after', value: durationTo(afterMs) },
    reaction: deadlineReactions[reaction],
    ...(reaction === 'RAISE_PRIORITY' ? { priority } : {}),
  });
  return { softDeadline };
}
