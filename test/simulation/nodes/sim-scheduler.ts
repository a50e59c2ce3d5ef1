/** Somebody who keeps a schedule: makes it, triggers it, pauses it, and reads what became of its times. */
import { create } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import {
  type ScheduleRun,
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
import type { PlannedSchedule } from '../scenario/care.ts';
import { cleanupOf, encodeScript, type HandlerScript } from './handler-script.ts';
import type { Caller } from './sim-caller.ts';
import { requestId } from './sim-worker.ts';

const { applySchedule, triggerSchedule, pauseSchedule, listScheduleRuns } = ScheduleService.method;
/** A run that is begun is settled within this, or somebody looks again. */
const LOOK_MS = 1_000;

const quick = (owner: string, ms: number): Uint8Array =>
  encodeScript(cleanupOf({ owner, ms, fails: 0 } as HandlerScript));

export class SimScheduler {
  readonly #caller: Caller;
  readonly #names: string[] = [];

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  async keep({ name, overlap, catchUp, jobMs, triggers, forMs }: PlannedSchedule): Promise<void> {
    const schedule = create(ScheduleSchema, {
      name,
      times: { intervals: [{ every: durationFromMs(1_000) }] },
      job: { definition: 'plain', input: { data: quick(name, jobMs) } },
      overlapPolicy: overlap,
      catchUpPolicy: catchUp,
    });
    this.#caller.history.log('client', 'schedule asked', { schedule: name, overlap });
    const id = () => requestId(this.#caller.random);
    await this.#caller.insist(applySchedule, create(ApplyScheduleRequestSchema, { schedule, requestId: id() }));
    this.#names.push(name);
    for (const ms of triggers)
      this.#caller.later(ms, () =>
        this.#caller.insist(triggerSchedule, create(TriggerScheduleRequestSchema, { name, requestId: id() })),
      );
    this.#caller.later(forMs, () => this.#end(name, id()));
  }

  /** A paused schedule begins nothing any more; what it has begun is waited for. */
  async #end(name: string, id: string): Promise<void> {
    await this.#caller.insist(pauseSchedule, create(PauseScheduleRequestSchema, { name, requestId: id }));
    await this.#wait(name);
  }

  async #wait(name: string): Promise<void> {
    const runs = await this.#runs(name);
    const isBegun = ({ state }: ScheduleRun) => state === ScheduleRunState.STARTING || state === ScheduleRunState.ASKED;
    if (runs.some(isBegun)) this.#caller.later(LOOK_MS, () => this.#wait(name));
  }

  /** Reads the record of every schedule once everything has ended. */
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
        times: run.times,
        job: run.jobId,
      });
  }

  async #runs(name: string): Promise<ScheduleRun[]> {
    const request = create(ListScheduleRunsRequestSchema, { name, pageSize: 1_000 });
    return (await this.#caller.insist(listScheduleRuns, request)).runs;
  }
}
