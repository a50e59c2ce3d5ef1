/** EventService: streams events as they happen. */
import { create } from '@bufbuild/protobuf';
import { type JobEvent, JobEventSchema } from '@muster-jobs/sdk/gen/muster/v1/event_pb';
import {
  type EventService,
  type WatchEventsRequest,
  WatchEventsResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/event_service_pb';
import { waitReasons } from '../../domain/explain/wait-reasons.ts';
import { stateCodes } from '../../domain/jobs/job-state.ts';
import { isMiss } from '../../domain/jobs/soft-deadline.ts';
import type { EventQuery } from '../../engine/events/event-watches.ts';
import type { PublishedEvent } from '../../engine/ports/events.ts';
import type { Replica } from '../../engine/replica.ts';
import { jobIdOf, namespaceOf } from '../base/checks.ts';
import { failureTo, timestampTo } from '../base/convert-payload.ts';
import type { Implementation } from '../base/implementation.ts';
import { Violations } from '../base/violations.ts';
import { statesFrom } from '../jobs/convert-job-filter.ts';

function queryFrom(wire: WatchEventsRequest): EventQuery {
  const violations = new Violations();
  const namespace = namespaceOf(wire.namespace, violations);
  const after = wire.afterPosition === undefined ? undefined : Number(wire.afterPosition);
  violations.check(after === undefined || after >= 0, 'after_position', 'is negative; 0 begins at the oldest event');
  const states = statesFrom(wire.states, 'states', violations);
  const unpublished = states.find((state) => state === 'ASSIGNED' || state === 'RUNNING');
  violations.check(
    unpublished === undefined,
    'states',
    `has ${unpublished}, for which no events are published; watch the job, or list jobs`,
  );
  const jobId = wire.jobId === '' ? undefined : jobIdOf(wire.jobId, violations);
  violations.throwIfAny();
  const keptOnly = wire.keptOnly;
  return { namespace, after: after ?? (keptOnly ? 0 : undefined), keptOnly, states, jobId };
}

function eventTo({
  previousState,
  state,
  revision,
  eventTimeUs,
  waitReason,
  failure,
  ...event
}: PublishedEvent): JobEvent {
  const { jobId, namespace, definition, attempt } = event;
  const time = timestampTo(eventTimeUs);
  return create(JobEventSchema, {
    jobId,
    namespace,
    definition,
    attempt,
    revision: BigInt(revision),
    state: stateCodes[state],
    softDeadlineMissed: isMiss({ previousState, state }),
    ...(time ? { eventTime: time } : {}),
    ...(previousState ? { previousState: stateCodes[previousState] } : {}),
    ...(waitReason ? { waitReason: waitReasons[waitReason] } : {}),
    ...(failure ? { failure: failureTo(failure) } : {}),
  });
}

export function eventService(replica: Replica): Implementation<typeof EventService> {
  return {
    async *watchEvents(request, context) {
      const query = queryFrom(request);
      for await (const { position, events } of replica.eventWatches.watch(query, context.signal))
        yield create(WatchEventsResponseSchema, { events: events.map(eventTo), position: BigInt(position) });
    },
  };
}
