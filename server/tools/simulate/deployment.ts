/** The deployment of a scenario: the real engine on the simulated database, with definitions, queues and workers. */
import { fromJson } from '@bufbuild/protobuf';
import { JobDefinitionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { QueueSchema } from '@muster-jobs/sdk/gen/muster/v1/queue_pb';
import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import { composeStore } from '../../engine/base/composed-store.ts';
import { DbClock } from '../../engine/base/db-clock.ts';
import type { Log } from '../../engine/ports/ports.ts';
import { createReplica, type Replica } from '../../engine/replica.ts';
import { failureText } from '../../store/base/failure-text.ts';
import { createStatements } from '../../store/store.ts';
import { CallRefusal, Calls } from './calls.ts';
import { CleanUp } from './clean-up.ts';
import { inPlace } from './in-place.ts';
import { Line } from './line.ts';
import { LocalBus } from './local-bus.ts';
import type { Prng } from './prng.ts';
import { Recorder } from './recorder.ts';
import { handlersOf, type Scenario, SimulationRefusal, type WorkerOffer } from './scenario.ts';
import { SimClock } from './sim-clock.ts';
import type { SimPostgres } from './sim-postgres.ts';
import { VirtualDatabase } from './virtual-database.ts';
import { VirtualWorker } from './virtual-worker.ts';
import { World } from './world.ts';

/** Sessions never lapse here: heartbeats every few seconds would cost more than all the jobs of a quiet day. */
const TEN_YEARS_MS = 3_650 * 86_400_000;
const times = { beatMs: 5_000, leaseMs: TEN_YEARS_MS };

export interface Deployment {
  readonly world: World;
  readonly clock: SimClock;
  readonly replica: Replica;
  readonly calls: Calls;
  readonly recorder: Recorder;
  readonly workers: readonly VirtualWorker[];
  /** When something is due next, in µs on the database's clock. */
  readonly nextDueUs: () => Promise<number | undefined>;
  /** Before anything arrives. @throws SimulationRefusal for refusals of the API */
  prepare(): Promise<void>;
}

export interface DeploymentParts {
  readonly postgres: SimPostgres;
  readonly scenario: Scenario;
  readonly random: Prng;
  /** Called for any unexpected error: then the simulation is invalid. */
  readonly onFault: (error: unknown) => void;
}

export function buildDeployment(parts: DeploymentParts): Deployment {
  const { scenario, onFault } = parts;
  const world = new World();
  const recorder = new Recorder(world);
  const { replica, bus, clock, nextDueUs } = buildReplica(parts, world, recorder);
  const calls = new Calls(replica);
  const offers = scenario.workers.map((offer) => withHandlers(offer, scenario));
  const workers = offers.map(
    (offer, index) => new VirtualWorker({ world, replica, bus, recorder, index, offer, onFault }),
  );
  const prepare = async () => {
    await replica.prepare();
    replica.start();
    await applyAll(calls, scenario);
    for (const worker of workers) await worker.open();
  };
  return { world, clock, replica, calls, recorder, workers, nextDueUs, prepare };
}

function buildReplica({ postgres, random, onFault }: DeploymentParts, world: World, recorder: Recorder) {
  const clock = new SimClock(world);
  const line = new Line(world);
  const bus = new LocalBus(world, (batch) => recorder.record(batch));
  const { noteEnded } = new CleanUp({ world, line, postgres });
  const database = new VirtualDatabase({ world, line, postgres, onEnded: noteEnded });
  // Data with a limited retention is needed until the end.
  const clearExpired = async () => ({ days: 0, jobs: 0, rows: 0, more: false });
  const store = { ...composeStore(createStatements(database)), clearExpired };
  const replica = createReplica({
    store,
    bus,
    ...inPlace,
    clock,
    dbClock: new DbClock(clock),
    timers: clock,
    random,
    log: logOf(onFault),
    times,
    failureText,
  });
  return { replica, bus, clock, nextDueUs: () => store.nextDueUs() };
}

/** The engine logs errors and tries again; here any error is a bug of ours. */
function logOf(onFault: (error: unknown) => void): Log {
  const note = ({ error }: Record<string, unknown>, message: string) => {
    if (error !== undefined) onFault(new Error(`${message}: ${error}`));
  };
  return { info: () => {}, warn: note, error: note };
}

async function applyAll(calls: Calls, { definitions, queues }: Scenario): Promise<void> {
  for (const [at, json] of queues.entries()) {
    const queue = fromJson(QueueSchema, json);
    await refusing(`queues[${at}]`, 'queue', calls.call(QueueService.method.createQueue, { queue }));
  }
  for (const [at, json] of definitions.entries()) {
    const definition = fromJson(JobDefinitionSchema, json);
    const applied = calls.call(JobDefinitionService.method.applyJobDefinition, { definition });
    await refusing(`definitions[${at}]`, 'definition', applied);
  }
}

/** Replaces the field of the call by its location in the scenario. */
async function refusing(where: string, field: string, call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!(error instanceof CallRefusal) || error.reason === 'INTERNAL') throw error;
    const details = error.violations.map((violation) => {
      const path = violation.field.replace(new RegExp(`^${field}(\\.|$)`), '');
      return `${[where, path].filter(Boolean).join('.')}: ${violation.description}`;
    });
    throw new SimulationRefusal(
      'the scenario was refused',
      details.length > 0 ? details : [`${where}: ${error.message}`],
    );
  });
}

function withHandlers(offer: WorkerOffer, { definitions }: Scenario) {
  return { ...offer, handlers: offer.handlers ?? [...new Set(definitions.flatMap(handlersOf))] };
}
