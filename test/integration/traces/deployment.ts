/** A control plane that sends spans, on a PostgreSQL and a NATS of its own, with workers in processes, and a Jaeger. */
import { Client } from '@muster-jobs/sdk';
import { Pool } from 'pg';
import { Child } from '../../chaos/harness/child.ts';
import { ReplicaProcess } from '../../chaos/harness/replica-process.ts';
import { eventually } from '../../support/base/eventually.ts';
import { type SharedBackends, startSharedBackends } from '../../support/databases/shared-backends.ts';
import { type Jaeger, startJaeger } from '../../support/telemetry/jaeger.ts';
import { sendSpans } from '../../support/telemetry/otlp-tracing.ts';

const START_MS = 60_000;
const END_MS = 120_000;
const STOP_MS = 60_000;

export type Language = 'typescript' | 'python';

const programs: Readonly<Record<Language, { command: string; file: string }>> = {
  typescript: { command: process.execPath, file: 'worker.ts' },
  python: { command: 'python', file: 'worker.py' },
};

export class TracedDeployment {
  readonly jaeger: Jaeger;
  readonly replica: ReplicaProcess;
  /** Traced as service `shop`. */
  readonly client: Client;
  readonly #backends: SharedBackends;
  readonly #database: Pool;
  #stopTracing: () => Promise<void>;
  #workers: Child[] = [];

  private constructor(backends: SharedBackends, jaeger: Jaeger, replica: ReplicaProcess) {
    this.jaeger = jaeger;
    this.replica = replica;
    this.#backends = backends;
    this.#database = new Pool({ connectionString: backends.postgresUrl, max: 1 });
    // It does not wait for the end of its connection, which the server's end breaks.
    this.#database.on('error', () => {});
    this.#stopTracing = sendSpans(jaeger.endpoint, 'shop');
    this.client = new Client({ address: this.address, timeoutMs: START_MS, retry: { maxAttempts: 1_000 } });
  }

  get address(): string {
    return `127.0.0.1:${this.replica.proxy.port}`;
  }

  /** Does not start the replica. */
  static async create(): Promise<TracedDeployment> {
    const [backends, jaeger] = await Promise.all([startSharedBackends(), startJaeger()]);
    const { postgresUrl, natsUrls, natsCredentialsFile, natsSigningSeedFile } = backends.settings;
    const args = [
      ...['--postgres', String(postgresUrl), '--nats', String(natsUrls), '--beat-ms', '500', '--lease-ms', '4000'],
      ...['--nats-credentials', String(natsCredentialsFile), '--nats-signing-seed', String(natsSigningSeedFile)],
    ];
    const replica = await ReplicaProcess.create('traced', args, { OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.endpoint });
    return new TracedDeployment(backends, jaeger, replica);
  }

  /** Resolves when it accepts jobs. */
  async startWorker(name: string, language: Language = 'typescript'): Promise<Child> {
    const { command, file } = programs[language];
    const path = new URL(file, import.meta.url).pathname;
    const env = { PYTHONPATH: new URL('../../../sdk/python/src', import.meta.url).pathname };
    const worker = new Child({ name, command, args: [path, this.address, name, this.jaeger.endpoint], env });
    this.#workers.push(worker);
    await eventually(`worker ${name} is ready`, () => worker.lines.includes('ready'), { timeoutMs: START_MS });
    return worker;
  }

  /** Waits until all events of jobs are published, spans included. */
  async settled(): Promise<void> {
    await eventually(
      'the outbox is empty',
      async () => (await this.#database.query('SELECT count(*)::int AS rows FROM muster.outbox')).rows[0].rows === 0,
      { timeoutMs: END_MS, everyMs: 50 },
    );
  }

  async stopWorkers(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop(STOP_MS)));
    this.#workers = [];
  }

  /** Does the work as an untraced application. */
  async withoutTracing<T>(work: () => Promise<T>): Promise<T> {
    await this.#stopTracing();
    try {
      return await work();
    } finally {
      this.#stopTracing = sendSpans(this.jaeger.endpoint, 'shop');
    }
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.stopWorkers();
    await this.replica.stop();
    await this.#stopTracing();
    await this.#database.end();
    await this.jaeger.stop();
    await this.#backends.stop();
  }
}
