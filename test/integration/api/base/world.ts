/** A replica with shared helpers of the API tests: unique definitions, jobs, workers. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { JobDefinitionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { type Job, JobState, type JobSubmissionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import type { OpenSessionRequestSchema } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import type { ConfigInput } from '../../../../server/config.ts';
import { startTestReplica, type TestReplica } from '../../../support/base/replica.ts';
import type { databaseKinds } from '../../../support/databases/databases.ts';
import { sharedPostgres, type TestDatabases } from '../../../support/databases/postgres.ts';
import { Rpc } from './rpc.ts';
import { offerOf, TestWorker } from './test-worker.ts';

/** A worker that holds the one attempt of a job. */
export interface Held {
  readonly worker: TestWorker;
  readonly jobId: string;
  readonly attempt: Assignment;
}

export class World {
  readonly replica: TestReplica;
  readonly rpc: Rpc;
  readonly #workers: TestWorker[] = [];
  readonly #unhandled: unknown[] = [];
  #names = 0;
  #postgres: TestDatabases | undefined;
  #postgresUrl: string | undefined;

  private constructor(replica: TestReplica) {
    this.replica = replica;
    this.rpc = new Rpc(replica.grpcAddress);
    process.on('unhandledRejection', this.#note);
  }

  /** On a new PostgreSQL database. */
  static async start(settings: Partial<ConfigInput> = {}): Promise<World> {
    const postgres = await sharedPostgres();
    const postgresUrl = await postgres.createDatabase();
    const world = await World.startWith({ postgresUrl, ...settings });
    world.#postgres = postgres;
    world.#postgresUrl = postgresUrl;
    return world;
  }

  static startOn(kind: (typeof databaseKinds)[number]): Promise<World> {
    return kind === 'PGlite' ? World.startWith({}) : World.start();
  }

  /** On the database of the settings, else embedded; the lease is so long that no session lapses on a busy machine. */
  static async startWith(settings: Partial<ConfigInput>): Promise<World> {
    return new World(await startTestReplica({ leaseMs: 600_000, ...settings }));
  }

  /** The URL of the database that `start` created. */
  get postgresUrl(): string {
    if (this.#postgresUrl === undefined) throw new Error('the world was not started on a PostgreSQL of its own');
    return this.#postgresUrl;
  }

  /** Ends everything, and fails if there was an uncaught error. */
  async stop(): Promise<void> {
    await Promise.allSettled(this.#workers.map((worker) => worker.disconnect()));
    this.rpc.close();
    await this.replica.stop();
    await this.#postgres?.stop();
    process.off('unhandledRejection', this.#note);
    if (this.#unhandled.length > 0) throw new AggregateError(this.#unhandled, 'rejections that nobody handled');
  }

  readonly #note = (error: unknown) => void this.#unhandled.push(error);

  /** Applies a definition that no other test uses, so that no other test's worker takes its jobs. Returns its name. */
  async define(changes: MessageInitShape<typeof JobDefinitionSchema> = {}): Promise<string> {
    const body = { case: 'task', value: {} } as const;
    const definition = { name: `work-${++this.#names}`, body, ...changes };
    await this.rpc.call(JobDefinitionService.method.applyJobDefinition, { definition });
    return definition.name;
  }

  /** Submits a job. Returns its id. */
  async submit(definition: string, changes: MessageInitShape<typeof JobSubmissionSchema> = {}): Promise<string> {
    return (await this.rpc.call(JobService.method.submitJob, { job: { definition, ...changes } })).jobId;
  }

  async getJob(jobId: string, namespace = ''): Promise<Job> {
    const { job } = await this.rpc.call(JobService.method.getJob, { jobId, namespace });
    if (!job) throw new Error('an answer without a job');
    return job;
  }

  /** Name of the job's state. */
  async stateOf(jobId: string): Promise<string> {
    return stateName((await this.getJob(jobId)).state);
  }

  openWorker(...handlers: string[]): Promise<TestWorker> {
    return this.openWorkerOf(offerOf(...handlers));
  }

  async openWorkerOf(offer: MessageInitShape<typeof OpenSessionRequestSchema>): Promise<TestWorker> {
    const worker = await TestWorker.open(this.rpc, offer);
    this.#workers.push(worker);
    return worker;
  }

  /** A new definition, a job of it, and a worker that holds the job. */
  async hold(changes?: MessageInitShape<typeof JobDefinitionSchema>): Promise<Held> {
    const definition = await this.define(changes);
    const worker = await this.openWorker(definition);
    const jobId = await this.submit(definition);
    const [attempt] = await worker.take(1);
    if (!attempt) throw new Error('nothing was assigned');
    return { worker, jobId, attempt };
  }
}

export function stateName(state: JobState): string {
  return Object.entries(JobState).find(([, value]) => value === state)?.[0] ?? String(state);
}
