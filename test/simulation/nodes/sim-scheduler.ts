/** The owner of a schedule: creates it, changes it, triggers it, pauses it, and reads its runs. */
import { create } from '@bufbuild/protobuf';
import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import {
  type ScheduleRun,
  ScheduleRunCause,
  ScheduleRunState,
  ScheduleSchema,
} from '../../../sdk/typescript/src/gen/muster/v1/schedule_pb.ts';
import {
  ApplyScheduleRequestSchema,
  ListScheduleRunsRequestSchema,
  PauseScheduleRequestSchema,
  ScheduleService,
  TriggerScheduleRequestSchema,
} from '../../../sdk/typescript/src/gen/muster/v1/schedule_service_pb.ts';
import { EPOCH_MS } from '../../../server/tools/simulate/sim-postgres.ts';
import type { PlannedSchedule } from '../scenario/upkeep.ts';
import { cleanupOf, encodeScript, type HandlerScript } from './handler-script.ts';
import type { Caller } from './sim-caller.ts';
import { requestId } from './sim-worker.ts';

const { applySchedule, triggerSchedule, pauseSchedule, listScheduleRuns } = ScheduleService.method;
/** A started run is settled within this time, or it is read again. */
const POLL_MS = 1_000;
/** Number of reads until the times up to the pause are recorded; missing ones are then left to the checks. */
const MAX_ATTEMPTS = 60;

const quick = (owner: string, ms: number): Uint8Array =>
  encodeScript(cleanupOf({ owner, ms, fails: 0 } as HandlerScript));

export class SimScheduler {
  readonly #caller: Caller;
  readonly #names: string[] = [];

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  async keep(planned: PlannedSchedule): Promise<void> {
    const { name, overlap, jitterMs, triggers, changes, forMs } = planned;
    this.#caller.history.log('client', 'schedule asked', { schedule: name, overlap });
    const id = () => requestId(this.#caller.random);
    await this.#apply(planned, jitterMs, '');
    this.#names.push(name);
    for (const [i, change] of changes.entries())
      this.#caller.later(change.ms, () => this.#apply(planned, change.jitterMs, `change ${i}`));
    for (const ms of triggers)
      this.#caller.later(ms, () =>
        this.#caller.insist(triggerSchedule, create(TriggerScheduleRequestSchema, { name, requestId: id() })),
      );
    this.#caller.later(forMs, () => this.#end(name, id()));
  }

  async #apply(planned: PlannedSchedule, jitterMs: number, description: string): Promise<void> {
    const { name, overlap, catchUp, jobMs } = planned;
    const schedule = create(ScheduleSchema, {
      name,
      description,
      times: { intervals: [{ every: durationFromMs(1_000) }], jitter: durationFromMs(jitterMs) },
      job: { definition: 'plain', input: { data: quick(name, jobMs) } },
      overlapPolicy: overlap,
      catchUpPolicy: catchUp,
    });
    const id = requestId(this.#caller.random);
    const made = await this.#caller.insist(
      applySchedule,
      create(ApplyScheduleRequestSchema, { schedule, requestId: id }),
    );
    if (!made.created && description !== '')
      this.#caller.history.count(`schedule changed: ${jitterMs === planned.jitterMs ? 'not in its times' : 'jitter'}`);
  }

  /** A paused schedule starts nothing more; its started runs are awaited. */
  async #end(name: string, id: string): Promise<void> {
    const request = create(PauseScheduleRequestSchema, { name, requestId: id });
    const { schedule } = await this.#caller.insist(pauseSchedule, request);
    // Rounded down: a schedule that is made within the last millisecond of a second has the next second's time.
    const msOf = (time: Timestamp | undefined) =>
      time ? Math.floor(Number(time.seconds) * 1_000 + time.nanos / 1e6) : 0;
    const shownMs = msOf(schedule?.updateTime);
    // The database's clock was an hour ahead: the time of the pause is not known.
    const pausedMs = shownMs > EPOCH_MS + this.#caller.virtualNow() + 1_000 ? 0 : shownMs;
    this.#caller.history.log('client', 'schedule paused', {
      schedule: name,
      createdMs: msOf(schedule?.createTime),
      pausedMs,
    });
    await this.#wait(name, pausedMs, MAX_ATTEMPTS);
  }

  async #wait(name: string, pausedMs: number, scans: number): Promise<void> {
    const runs = await this.#runs(name);
    const isBegun = ({ state }: ScheduleRun) => state === ScheduleRunState.STARTING || state === ScheduleRunState.ASKED;
    const own = runs.find(({ cause }) => cause === ScheduleRunCause.TIME);
    const last = own?.lastNominalTime ?? own?.nominalTime;
    const isWhole = last !== undefined && timestampMs(last) + 1_000 > pausedMs;
    if (runs.some(isBegun) || (!isWhole && scans > 0))
      this.#caller.later(POLL_MS, () => this.#wait(name, pausedMs, scans - 1));
  }

  /** Reads the runs of every schedule after everything has ended. */
  readAll(): void {
    for (const name of this.#names) void this.#caller.track(this.#read(name));
  }

  async #read(name: string): Promise<void> {
    for (const run of await this.#runs(name))
      this.#caller.history.log('client', 'schedule run read', {
        schedule: name,
        ms: run.nominalTime ? timestampMs(run.nominalTime) : 0,
        state: run.state,
        cause: run.cause,
        reason: run.skipReason,
        times: run.timeCount,
        job: run.jobId,
      });
  }

  async #runs(name: string): Promise<ScheduleRun[]> {
    const request = create(ListScheduleRunsRequestSchema, { name, pageSize: 1_000 });
    return (await this.#caller.insist(listScheduleRuns, request)).runs;
  }
}
