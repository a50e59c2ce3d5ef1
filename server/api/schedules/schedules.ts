/** ScheduleService: submits jobs at set times. */
import { create } from '@bufbuild/protobuf';
import { ScheduleSchema } from '@muster-jobs/sdk/gen/muster/v1/schedule_pb';
import {
  ApplyScheduleResponseSchema,
  BackfillScheduleResponseSchema,
  DeleteScheduleResponseSchema,
  GetScheduleResponseSchema,
  ListScheduleRunsResponseSchema,
  ListSchedulesResponseSchema,
  PauseScheduleResponseSchema,
  type PreviewScheduleRequest,
  PreviewScheduleResponseSchema,
  ResumeScheduleResponseSchema,
  type ScheduleService,
  TriggerScheduleResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/schedule_service_pb';
import type { FoundTimes } from '../../domain/schedules/nominal-times.ts';
import type { ScheduleSpec } from '../../engine/ports/schedules.ts';
import type { Replica } from '../../engine/replica.ts';
import { checkName, checkText, namespaceOf, pageSizeOf, requestIdOf, timestampUs } from '../base/checks.ts';
import { timestampTo } from '../base/convert-payload.ts';
import type { Implementation } from '../base/implementation.ts';
import { pageToken, positionOf } from '../base/page-token.ts';
import { requestKey } from '../base/request-key.ts';
import { Violations } from '../base/violations.ts';
import { overlapFrom, scheduleFrom, scheduleRunTo, scheduleTo } from './convert-schedule.ts';
import { scheduleTimesFrom } from './convert-schedule-times.ts';
import { contentHash, runsPage, scheduleNameFrom } from './schedule-requests.ts';

const TIMES_SHOWN = 5;
const MAX_TIMES = 1_000;

const nameOf = (request: { namespace: string; name: string }, violations: Violations) =>
  scheduleNameFrom(request, 'SCHEDULE', violations);

export function scheduleService(replica: Replica): Implementation<typeof ScheduleService> {
  const { schedules } = replica;
  const nextTimes = (spec: ScheduleSpec) =>
    schedules.nextTimes(spec.rules.times, TIMES_SHOWN).times.map((us) => timestampTo(us));
  return {
    ...changes(replica),
    async applySchedule(request) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const { etag, ...spec } = scheduleFrom(request.schedule, replica.maxPayload, violations);
      violations.throwIfAny();
      if (request.validateOnly) {
        await schedules.check(spec);
        return create(ApplyScheduleResponseSchema, { schedule: scheduleTo(spec), nextTimes: nextTimes(spec) });
      }
      const key = requestKey('ApplySchedule', requestId, contentHash(ScheduleSchema, scheduleTo({ ...spec, etag })));
      const { schedule, created } = await schedules.apply(spec, etag, key);
      return create(ApplyScheduleResponseSchema, {
        schedule: scheduleTo(schedule),
        created,
        nextTimes: nextTimes(spec),
      });
    },
    async getSchedule(request) {
      const schedule = await schedules.get(nameOf(request, new Violations()));
      return create(GetScheduleResponseSchema, { schedule: scheduleTo(schedule) });
    },
    async listSchedules(request) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const limit = pageSizeOf(request.pageSize, violations);
      const key = await replica.pageTokenKey();
      const list = ['ListSchedules', namespace];
      const afterName = positionOf(request.pageToken, key, list, violations) ?? '';
      violations.throwIfAny();
      const page = await schedules.list(namespace, 'SCHEDULE', afterName, limit);
      const last = page.hasMore ? page.schedules.at(-1) : undefined;
      return create(ListSchedulesResponseSchema, {
        schedules: page.schedules.map(scheduleTo),
        nextPageToken: last ? pageToken(key, list, last.name) : '',
      });
    },
    async listScheduleRuns(request) {
      const { runs, nextPageToken } = await runsPage(replica, 'ListScheduleRuns', 'SCHEDULE', request);
      return create(ListScheduleRunsResponseSchema, { runs: runs.map(scheduleRunTo), nextPageToken });
    },
    async previewSchedule(request) {
      const { times, searchedUntilUs } = await preview(replica, request);
      return create(PreviewScheduleResponseSchema, {
        times: times.map((us) => timestampTo(us)),
        ...(searchedUntilUs === undefined ? {} : { scannedUntilTime: timestampTo(searchedUntilUs) }),
      });
    },
  };
}

async function preview({ schedules }: Replica, request: PreviewScheduleRequest): Promise<FoundTimes> {
  const violations = new Violations();
  const afterUs = timestampUs(request.afterTime, 'after_time', violations);
  violations.check(request.count >= 0, 'count', 'must not be negative');
  const count = Math.min(request.count || 10, MAX_TIMES);
  const namespace = namespaceOf(request.namespace, violations);
  if (request.name === '') {
    const { times } = scheduleTimesFrom(request.times, 'times', violations);
    violations.throwIfAny();
    return schedules.preview(times, count, afterUs);
  }
  violations.check(request.times === undefined, 'times', 'must be unset where a name is given');
  checkName(request.name, 'name', violations);
  violations.throwIfAny();
  const { rules } = await schedules.get({ namespace, name: request.name, kind: 'SCHEDULE' });
  return schedules.nextTimes(rules.times, count, afterUs);
}

type Changes = 'deleteSchedule' | 'pauseSchedule' | 'resumeSchedule' | 'triggerSchedule' | 'backfillSchedule';

function changes({ schedules }: Replica): Pick<Implementation<typeof ScheduleService>, Changes> {
  return {
    async deleteSchedule(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const name = nameOf(request, violations);
      await schedules.delete(name, requestKey('DeleteSchedule', requestId, context.body));
      return create(DeleteScheduleResponseSchema);
    },
    async pauseSchedule(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      checkText(request.reason, 256, 'reason', violations);
      const name = nameOf(request, violations);
      const key = requestKey('PauseSchedule', requestId, context.body);
      const paused = await schedules.pause(name, request.reason, key);
      return create(PauseScheduleResponseSchema, { schedule: scheduleTo(paused) });
    },
    async resumeSchedule(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const name = nameOf(request, violations);
      const resumed = await schedules.resume(name, requestKey('ResumeSchedule', requestId, context.body));
      return create(ResumeScheduleResponseSchema, { schedule: scheduleTo(resumed) });
    },
    async triggerSchedule(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const overlap = overlapFrom(request.overlapPolicy, 'overlap_policy', violations);
      const name = nameOf(request, violations);
      const run = await schedules.trigger(name, overlap, requestKey('TriggerSchedule', requestId, context.body));
      return create(TriggerScheduleResponseSchema, { run: scheduleRunTo(run) });
    },
    async backfillSchedule(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const overlap = overlapFrom(request.overlapPolicy, 'overlap_policy', violations) ?? 'BUFFER_ALL';
      const fromUs = timestampUs(request.startTime, 'start_time', violations) ?? 0;
      const toUs = timestampUs(request.endTime, 'end_time', violations) ?? 0;
      violations.check(request.startTime !== undefined, 'start_time', 'is missing: say where the span begins');
      violations.check(request.endTime !== undefined, 'end_time', 'is missing: say where the span ends');
      violations.check(
        !request.startTime || !request.endTime || fromUs < toUs,
        'end_time',
        'must be later than start_time',
      );
      const name = nameOf(request, violations);
      const key = requestKey('BackfillSchedule', requestId, context.body);
      return create(BackfillScheduleResponseSchema, {
        timeCount: await schedules.backfill(name, { fromUs, toUs }, overlap, key),
      });
    },
  };
}
