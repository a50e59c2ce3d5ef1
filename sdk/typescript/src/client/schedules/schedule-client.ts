/** Calls for schedules. */

import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { OverlapPolicy, Schedule, ScheduleRun } from '../../gen/muster/v1/schedule_pb.ts';
import type {
  ApplyScheduleResponse,
  ListScheduleRunsResponse,
  ListSchedulesResponse,
} from '../../gen/muster/v1/schedule_service_pb.ts';
import { ScheduleService } from '../../gen/muster/v1/schedule_service_pb.ts';
import type { Known } from '../../options/known-options.ts';
import type { CallOptions, OpenChannel } from '../../transport/channel.ts';
import type { UnaryClient } from '../../transport/unary-client.ts';
import { unaryClient } from '../../transport/unary-client.ts';
import { newUuid } from '../../uuid.ts';
import type { ClientOptions, PageOptions, RequestOptions } from '../calls.ts';
import { Calls, present, requestOptions } from '../calls.ts';
import type { ScheduleInit, TimesInit } from './schedule.ts';
import { scheduleMessage, timesMessage } from './schedule.ts';

/** Options of a manual run. */
export interface RunOptions extends RequestOptions {
  readonly overlapPolicy?: OverlapPolicy;
}

const runOptions: Known<RunOptions> = { ...requestOptions, overlapPolicy: true };

/** Selects upcoming times. */
export interface PreviewOptions extends RequestOptions {
  /** Times after this one. Default: now. */
  readonly afterTime?: Date;
  /** Number of times, at most 1,000. Default: 10. */
  readonly count?: number;
}

const previewOptions: Known<PreviewOptions> = { ...requestOptions, afterTime: true, count: true };

type ApplyCall = 'applySchedule' | 'checkSchedule';

export class ScheduleClient {
  protected readonly calls: Calls;
  readonly #schedules: UnaryClient<(typeof ScheduleService)['method']>;

  constructor(options: ClientOptions, open: OpenChannel) {
    this.calls = new Calls(options, open);
    this.#schedules = unaryClient(this.calls.channel, ScheduleService);
  }

  /**
   * Creates or changes a schedule. Unchanged content changes nothing.
   *
   * @throws MusterError INVALID_ARGUMENT; NOT_FOUND (DEFINITION_NOT_FOUND); ABORTED (ETAG_STALE).
   */
  async applySchedule(schedule: ScheduleInit, options: RequestOptions = {}): Promise<Schedule> {
    return present((await this.#apply('applySchedule', schedule, options)).schedule, 'schedule');
  }

  /**
   * Checks a schedule without storing it. Returns what `applySchedule` would store, with its next five times in
   * `nextTimes`.
   *
   * @throws MusterError as `applySchedule` would.
   */
  checkSchedule(schedule: ScheduleInit, options: RequestOptions = {}): Promise<ApplyScheduleResponse> {
    return this.#apply('checkSchedule', schedule, options);
  }

  /** Reads a schedule. @throws MusterError NOT_FOUND (SCHEDULE_NOT_FOUND). */
  async getSchedule(name: string, options: RequestOptions = {}): Promise<Schedule> {
    const request = { namespace: this.calls.namespace, name };
    const response = await this.calls.make('getSchedule', options, (call) =>
      this.#schedules.getSchedule(request, call),
    );
    return present(response.schedule, 'schedule');
  }

  /** Lists a page of the schedules by name. */
  async listSchedules(page: PageOptions = {}, options: RequestOptions = {}): Promise<ListSchedulesResponse> {
    const request = this.calls.page('listSchedules', page);
    return this.calls.make('listSchedules', options, (call) => this.#schedules.listSchedules(request, call));
  }

  /** Deletes a schedule and the records of its runs; its jobs stay. @throws MusterError NOT_FOUND. */
  async deleteSchedule(name: string, options: RequestOptions = {}): Promise<void> {
    const request = this.#scheduleNamed(name, options);
    await this.calls.make('deleteSchedule', options, (call) => this.#schedules.deleteSchedule(request, call));
  }

  /**
   * Skips the times of a schedule until it is resumed. Pausing twice is no error.
   *
   * @param reason Reason, shown to operators. At most 256 characters.
   * @throws MusterError NOT_FOUND.
   */
  async pauseSchedule(name: string, reason = '', options: RequestOptions = {}): Promise<Schedule> {
    const request = { ...this.#scheduleNamed(name, options), reason };
    const response = await this.calls.make('pauseSchedule', options, (call) =>
      this.#schedules.pauseSchedule(request, call),
    );
    return present(response.schedule, 'schedule');
  }

  /** Resumes a paused schedule: it continues with its next time. Resuming twice is no error. */
  async resumeSchedule(name: string, options: RequestOptions = {}): Promise<Schedule> {
    const request = this.#scheduleNamed(name, options);
    const response = await this.calls.make('resumeSchedule', options, (call) =>
      this.#schedules.resumeSchedule(request, call),
    );
    return present(response.schedule, 'schedule');
  }

  /**
   * Starts one run now, also of a paused schedule, and returns it. The run has its job, unless it waits for another run
   * or was skipped. Default policy: the schedule's own.
   *
   * @throws MusterError NOT_FOUND; RESOURCE_EXHAUSTED when 1,000 runs already wait.
   */
  async triggerSchedule(name: string, options: RunOptions = {}): Promise<ScheduleRun> {
    const { overlapPolicy } = options;
    const request = {
      ...this.#scheduleNamed(name, options),
      ...(overlapPolicy === undefined ? {} : { overlapPolicy }),
    };
    const send = (call: CallOptions) => this.#schedules.triggerSchedule(request, call);
    const response = await this.calls.make('triggerSchedule', options, send, runOptions);
    return present(response.run, 'run');
  }

  /**
   * Starts a run for each time in [`startTime`, `endTime`), at most 1,000, and returns their number. By default they
   * run one after the other.
   *
   * @throws MusterError NOT_FOUND; INVALID_ARGUMENT; RESOURCE_EXHAUSTED when more than 1,000 runs would wait.
   */
  async backfillSchedule(name: string, startTime: Date, endTime: Date, options: RunOptions = {}): Promise<number> {
    const { overlapPolicy } = options;
    const request = {
      ...this.#scheduleNamed(name, options),
      startTime: timestampFromDate(startTime),
      endTime: timestampFromDate(endTime),
      ...(overlapPolicy === undefined ? {} : { overlapPolicy }),
    };
    const send = (call: CallOptions) => this.#schedules.backfillSchedule(request, call);
    return (await this.calls.make('backfillSchedule', options, send, runOptions)).timeCount;
  }

  /**
   * The next times of a schedule, given by name, or of rules that are not stored yet.
   *
   * @throws MusterError INVALID_ARGUMENT; NOT_FOUND.
   */
  async previewSchedule(of: string | TimesInit, options: PreviewOptions = {}): Promise<Date[]> {
    const { afterTime, count = 0 } = options;
    const request = {
      namespace: this.calls.namespace,
      ...(typeof of === 'string' ? { name: of } : { times: timesMessage(of, 'previewSchedule') }),
      ...(afterTime === undefined ? {} : { afterTime: timestampFromDate(afterTime) }),
      count,
    };
    const send = (call: CallOptions) => this.#schedules.previewSchedule(request, call);
    const { times } = await this.calls.make('previewSchedule', options, send, previewOptions);
    return times.map(timestampDate);
  }

  /** Lists a page of the runs of a schedule, newest time first. @throws MusterError NOT_FOUND. */
  async listScheduleRuns(
    name: string,
    page: PageOptions = {},
    options: RequestOptions = {},
  ): Promise<ListScheduleRunsResponse> {
    const request = { ...this.calls.page('listScheduleRuns', page), name };
    return this.calls.make('listScheduleRuns', options, (call) => this.#schedules.listScheduleRuns(request, call));
  }

  async #apply(call: ApplyCall, schedule: ScheduleInit, options: RequestOptions): Promise<ApplyScheduleResponse> {
    const request = {
      schedule: scheduleMessage(schedule, this.calls.namespace, call),
      validateOnly: call === 'checkSchedule',
      requestId: options.requestId ?? newUuid(),
    };
    return this.calls.make(call, options, (callOptions) => this.#schedules.applySchedule(request, callOptions));
  }

  #scheduleNamed(name: string, { requestId = newUuid() }: RequestOptions) {
    return { namespace: this.calls.namespace, name, requestId };
  }
}
