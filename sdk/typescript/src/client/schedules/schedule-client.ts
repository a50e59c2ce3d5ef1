/** Calls for schedules. */
import { randomUUID } from 'node:crypto';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { OverlapPolicy, Schedule, ScheduleRun } from '../../gen/muster/v1/schedule_pb.ts';
import type {
  ApplyScheduleResponse,
  ListScheduleRunsResponse,
  ListSchedulesResponse,
} from '../../gen/muster/v1/schedule_service_pb.ts';
import { ScheduleService } from '../../gen/muster/v1/schedule_service_pb.ts';
import type { UnaryClient } from '../../transport/unary-client.ts';
import { unaryClient } from '../../transport/unary-client.ts';
import type { ClientOptions, PageOptions, RequestOptions } from '../calls.ts';
import { Calls, present } from '../calls.ts';
import type { ScheduleInit, TimesInit } from './schedule.ts';
import { scheduleMessage, timesMessage } from './schedule.ts';

/** Options of a manual run. */
export interface RunOptions extends RequestOptions {
  readonly overlapPolicy?: OverlapPolicy;
}

/** Selects upcoming times. */
export interface PreviewOptions extends RequestOptions {
  /** Times after this one. Default: now. */
  readonly afterTime?: Date;
  /** Number of times, at most 1,000. Default: 10. */
  readonly count?: number;
}

export class ScheduleClient {
  protected readonly calls: Calls;
  readonly #schedules: UnaryClient<(typeof ScheduleService)['method']>;

  constructor(options: ClientOptions) {
    this.calls = new Calls(options);
    this.#schedules = unaryClient(this.calls.channel, ScheduleService);
  }

  /**
   * Creates or changes a schedule. Unchanged content changes nothing.
   *
   * @throws MusterError INVALID_ARGUMENT; NOT_FOUND (DEFINITION_NOT_FOUND); ABORTED (ETAG_STALE).
   */
  async applySchedule(schedule: ScheduleInit, options: RequestOptions = {}): Promise<Schedule> {
    return present((await this.#apply(schedule, false, options)).schedule, 'schedule');
  }

  /**
   * Checks a schedule without storing it. Returns what `applySchedule` would store, with its next five times in
   * `nextTimes`.
   *
   * @throws MusterError as `applySchedule` would.
   */
  checkSchedule(schedule: ScheduleInit, options: RequestOptions = {}): Promise<ApplyScheduleResponse> {
    return this.#apply(schedule, true, options);
  }

  /** Reads a schedule. @throws MusterError NOT_FOUND (SCHEDULE_NOT_FOUND). */
  async getSchedule(name: string, options: RequestOptions = {}): Promise<Schedule> {
    const request = { namespace: this.calls.namespace, name };
    const response = await this.calls.make(options, (call) => this.#schedules.getSchedule(request, call));
    return present(response.schedule, 'schedule');
  }

  /** Lists a page of the schedules by name. */
  listSchedules(page: PageOptions = {}, options: RequestOptions = {}): Promise<ListSchedulesResponse> {
    const request = { namespace: this.calls.namespace, ...page };
    return this.calls.make(options, (call) => this.#schedules.listSchedules(request, call));
  }

  /** Deletes a schedule and the records of its runs; its jobs stay. @throws MusterError NOT_FOUND. */
  async deleteSchedule(name: string, options: RequestOptions = {}): Promise<void> {
    const request = this.#scheduleNamed(name, options);
    await this.calls.make(options, (call) => this.#schedules.deleteSchedule(request, call));
  }

  /**
   * Skips the times of a schedule until it is resumed. Pausing twice is no error.
   *
   * @param reason Reason, shown to operators. At most 256 characters.
   * @throws MusterError NOT_FOUND.
   */
  async pauseSchedule(name: string, reason = '', options: RequestOptions = {}): Promise<Schedule> {
    const request = { ...this.#scheduleNamed(name, options), reason };
    const response = await this.calls.make(options, (call) => this.#schedules.pauseSchedule(request, call));
    return present(response.schedule, 'schedule');
  }

  /** Resumes a paused schedule: it continues with its next time. Resuming twice is no error. */
  async resumeSchedule(name: string, options: RequestOptions = {}): Promise<Schedule> {
    const request = this.#scheduleNamed(name, options);
    const response = await this.calls.make(options, (call) => this.#schedules.resumeSchedule(request, call));
    return present(response.schedule, 'schedule');
  }

  /**
   * Starts one run now, also of a paused schedule, and returns it. The run has its job, unless it waits for another run
   * or was skipped. Default policy: the schedule's own.
   *
   * @throws MusterError NOT_FOUND; RESOURCE_EXHAUSTED when 1,000 runs already wait.
   */
  async triggerSchedule(name: string, options: RunOptions = {}): Promise<ScheduleRun> {
    const { overlapPolicy, ...rest } = options;
    const request = { ...this.#scheduleNamed(name, rest), ...(overlapPolicy === undefined ? {} : { overlapPolicy }) };
    const response = await this.calls.make(rest, (call) => this.#schedules.triggerSchedule(request, call));
    return present(response.run, 'run');
  }

  /**
   * Starts a run for each time in [`startTime`, `endTime`), at most 1,000, and returns their number. By default they
   * run one after the other.
   *
   * @throws MusterError NOT_FOUND; INVALID_ARGUMENT; RESOURCE_EXHAUSTED when more than 1,000 runs would wait.
   */
  async backfillSchedule(name: string, startTime: Date, endTime: Date, options: RunOptions = {}): Promise<number> {
    const { overlapPolicy, ...rest } = options;
    const request = {
      ...this.#scheduleNamed(name, rest),
      startTime: timestampFromDate(startTime),
      endTime: timestampFromDate(endTime),
      ...(overlapPolicy === undefined ? {} : { overlapPolicy }),
    };
    return (await this.calls.make(rest, (call) => this.#schedules.backfillSchedule(request, call))).timeCount;
  }

  /**
   * The next times of a schedule, given by name, or of rules that are not stored yet.
   *
   * @throws MusterError INVALID_ARGUMENT; NOT_FOUND.
   */
  async previewSchedule(of: string | TimesInit, options: PreviewOptions = {}): Promise<Date[]> {
    const { afterTime, count = 0, ...rest } = options;
    const request = {
      namespace: this.calls.namespace,
      ...(typeof of === 'string' ? { name: of } : { times: timesMessage(of) }),
      ...(afterTime === undefined ? {} : { afterTime: timestampFromDate(afterTime) }),
      count,
    };
    const { times } = await this.calls.make(rest, (call) => this.#schedules.previewSchedule(request, call));
    return times.map(timestampDate);
  }

  /** Lists a page of the runs of a schedule, newest time first. @throws MusterError NOT_FOUND. */
  listScheduleRuns(
    name: string,
    page: PageOptions = {},
    options: RequestOptions = {},
  ): Promise<ListScheduleRunsResponse> {
    const request = { namespace: this.calls.namespace, name, ...page };
    return this.calls.make(options, (call) => this.#schedules.listScheduleRuns(request, call));
  }

  #apply(schedule: ScheduleInit, validateOnly: boolean, options: RequestOptions): Promise<ApplyScheduleResponse> {
    const request = {
      schedule: scheduleMessage(schedule, this.calls.namespace),
      validateOnly,
      requestId: options.requestId ?? randomUUID(),
    };
    return this.calls.make(options, (call) => this.#schedules.applySchedule(request, call));
  }

  #scheduleNamed(name: string, { requestId = randomUUID() }: RequestOptions) {
    return { namespace: this.calls.namespace, name, requestId };
  }
}
