/** EventService: shows events as they happen. */
import { create } from '@bufbuild/protobuf';
import { stateCodes } from '../../domain/job-state.ts';
import { waitReasons } from '../../domain/wait-reasons.ts';
import type { EventQuery } from '../../engine/event-watches.ts';
import type { ToldEvent } from '../../engine/job-events.ts';
import type { Replica } from '../../engine/replica.ts';
import { type JobEvent, JobEventSchema } from '../../gen/muster/v1/event_pb.ts';
import {
  type EventService,
  type WatchEventsRequest,
  WatchEventsResponseSchema,
} from '../../gen/muster/v1/event_service_pb.ts';
import { jobIdOf, namespaceOf } from '../checks.ts';
import { statesFrom } from '../convert-job-filter.ts';
import { failureTo, timestampTo } from '../convert-payload.ts';
import type { Implementation } from '../service.ts';
import { Violations } from '../violations.ts';

function queryFrom(wire: WatchEventsRequest): EventQuery {
  const violations = new Violations();
  const namespace = namespaceOf(wire.namespace, violations);
  const after = wire.afterPosition === undefined ? undefined : Number(wire.afterPosition);
  violations.check(after === undefined || after >= 0, 'after_position', 'is negative; 0 begins at the oldest event');
  const states = statesFrom(wire.states, 'states', violations);
  const untold = states.find((state) => state === 'ASSIGNED' || state === 'RUNNING');
  violations.check(untold === undefined, 'states', `has ${untold}, which is not told; watch the job, or list jobs`);
  const jobId = wire.jobId === '' ? undefined : jobIdOf(wire.jobId, violations);
  violations.throwIfAny();
  const keptOnly = wire.keptOnly;
  return { namespace, after: after ?? (keptOnly ? 0 : undefined), keptOnly, states, jobId };
}

function eventTo({ previousState, state, revision, eventTimeUs, waitReason, failure, ...event }: ToldEvent): JobEvent {
  const { jobId, namespace, definition, attempt } = event;
  const time = timestampTo(eventTimeUs);
  return create(JobEventSchema, {
    jobId,
    namespace,
    definition,
    attempt,
    revision: BigInt(revision),
    state: stateCodes[state],
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
