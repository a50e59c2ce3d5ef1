/** Runs one seed from start to end and returns its violations. */
import { createHash } from 'node:crypto';
import type { Statement } from '../../../server/store/driver/database.ts';
import { verifyIn } from '../../../server/store/upkeep/verify.ts';
import { Prng } from '../../../server/tools/simulate/prng.ts';
import type { SimPostgres } from '../../../server/tools/simulate/sim-postgres.ts';
import { check } from '../checker/base/check.ts';
import { checkPublished } from '../checker/events/published.ts';
import type { History } from '../core/history.ts';
import { readJournal } from '../database/journal.ts';
import { stopBusyWorker, unleash } from './nemesis.ts';
import { unleashOnFlows, unleashOnLinks } from './own-crashes.ts';
import { planOwn, plansOf } from './own-flows.ts';
import { planLinks } from './own-links.ts';
import { type Profile, profileOf } from './profile.ts';
import { buildSimulation, type Simulation } from './simulation.ts';
import { planWorkload } from './workload.ts';

export interface SeedResult {
  readonly seed: number;
  readonly profile: Profile;
  readonly violations: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  /** Of the whole history: the same seed gives the same hash. */
  readonly hash: string;
  readonly virtualMs: number;
  /** The last lines of the trace; empty unless requested. */
  readonly trace: readonly string[];
}

/** Of so many seeds one stops workers over and over. */
const STOPS_EVERY = 10;
const TRACE_LINES = 200_000;
/** Interval of the checks for the end, in ms of virtual time. */
const POLL_MS = 500;
/** Interval of the sweeps of paused jobs, in ms of virtual time. */
const IDLE_AFTER_MS = 5_000;

/** Interval of the verifications, in ms of virtual time. */
const VERIFY_MS = 10_000;

const countOpen = {
  name: 'sim_count_open',
  text: `SELECT (SELECT count(*) FROM muster.job_runs) AS jobs,
                (SELECT count(*) FROM muster.outbox) AS unpublished,
                (SELECT count(*) FROM muster.job_inbox) AS inbox,
                (SELECT count(*) FROM muster.signal_waits) + (SELECT count(*) FROM muster.job_dependencies)
                  + (SELECT count(*) FROM muster.sent_signals WHERE up_to_row IS NOT NULL) AS awaited,
                (SELECT count(*) FROM muster.sessions WHERE state = 2
                   OR (state = 1 AND (drain_wanted OR lease_until < muster.muster_now()))) AS sessions`,
  row: { jobs: 'int8', unpublished: 'int8', inbox: 'int8', awaited: 'int8', sessions: 'int8' },
} satisfies Statement;

export async function runSeed(postgres: SimPostgres, seed: number, keepsTrace = false): Promise<SeedResult> {
  await postgres.reset();
  const profile = profileOf(seed);
  const simulation = buildSimulation(postgres, seed, profile, keepsTrace);
  const { world, history, replicas, workers, client, operator, upkeepRunner, caller, random } = simulation;
  const { flows, flowCaller, links } = simulation;
  const rejected = (error: unknown) =>
    history.violate('no unhandled rejections', (error as Error)?.stack ?? String(error));
  process.on('unhandledRejection', rejected);
  try {
    unleash(simulation);
    if (seed % STOPS_EVERY === 0) stopBusyWorker(simulation);
    for (const replica of replicas) replica.start();
    for (const worker of workers) worker.start();
    const shape = { calls: profile.calls, until: profile.healMs, leaseMs: profile.times.leaseMs };
    const newVersions = Array.from({ length: random.int(0, 2) }, () => random.between(0, profile.healMs));
    const { calls, sweeps, upkeep } = planWorkload(random.fork('workload'), shape);
    const roundMs = Math.min(profile.times.leaseMs, IDLE_AFTER_MS);
    // Its schedules submit jobs of the first definitions.
    const own = planOwn(seed, shape);
    const waiting = planLinks(seed, shape, own.flows);
    const beginWithLinks = async () => {
      await links.define();
      links.begin(waiting);
      await flows.begin(own.flows, own.batches);
    };
    void caller.track(
      client.begin(calls, newVersions).then(() => {
        upkeepRunner.begin(upkeep, roundMs);
        void flowCaller.track(beginWithLinks());
      }),
    );
    unleashOnFlows(simulation, new Prng(`flow nemesis of seed ${seed}`));
    unleashOnLinks(simulation, waiting, new Prng(`link nemesis of seed ${seed}`));
    operator.begin(sweeps, roundMs);
    watchRows(postgres, simulation);
    await runToRest(postgres, simulation);
    for (const worker of workers) worker.tally();
    await checkTaken(postgres, history);
    await verifyRows(postgres, history);
    const journal = await readJournal(postgres);
    check(journal, history, profile, plansOf(own));
    checkPublished(journal, simulation.hub.published, history);
    const hash = createHash('sha256')
      .update(JSON.stringify([journal, history.entries]))
      .digest('hex');
    return {
      seed,
      profile,
      violations: history.violations,
      counts: history.counts,
      hash,
      virtualMs: world.now,
      trace: history.tail(TRACE_LINES),
    };
  } finally {
    process.off('unhandledRejection', rejected);
  }
}

/** Every inbox row is taken, and ended jobs wait for nothing. */
async function checkTaken(postgres: SimPostgres, history: History): Promise<void> {
  const [left] = await postgres.run(countOpen, []);
  if (left?.awaited) history.violate('inbox', `${left?.awaited} rows of waits and dependencies are left`);
  if (left?.inbox) history.violate('inbox', `${left?.inbox} inbox rows are left`);
}

/** The rules of `muster verify`, in its own words. */
async function verifyRows(postgres: SimPostgres, history: History): Promise<void> {
  for (const { holds, faults } of await verifyIn(postgres))
    for (const { subject, fault } of faults) history.violate(holds, `${subject} ${fault}`);
}

/** In its turn: never within a transaction. */
function watchRows(postgres: SimPostgres, { world, line, history }: Simulation): void {
  const probe = () => {
    world.after(VERIFY_MS, probe);
    return line.pass(() => verifyRows(postgres, history));
  };
  world.after(VERIFY_MS, probe);
}

/** Until nothing is open or in progress, and then one heartbeat for messages on their way. */
async function runToRest(postgres: SimPostgres, simulation: Simulation): Promise<void> {
  const { world, line, client, upkeepRunner, flows, links, profile } = simulation;
  const isIdle = () => simulation.caller.idle && simulation.flowCaller.idle && simulation.linkCaller.idle;
  let restAt = Number.POSITIVE_INFINITY;
  let ended = false;
  // In its turn: within another transaction it would see uncommitted rows, or fail if that has failed.
  const probe = () => line.pass(pollOnce);
  const pollOnce = async () => {
    const [open] = await postgres.run(countOpen, []);
    if (open?.jobs === 0 && isIdle() && !ended) {
      ended = true;
      client.readAll();
      upkeepRunner.readAll();
      flows.readAll();
      links.readAll();
    }
    if (open?.jobs === 0 && open.sessions === 0 && open.unpublished === 0 && open.inbox === 0 && isIdle())
      restAt = Math.min(restAt, world.now + 1.5 * profile.times.beatMs);
    else world.after(POLL_MS, probe);
  };
  // A message that was on its way at the recovery may still have an effect.
  const { lateMs, slowMs } = profile.faults;
  world.at(profile.healMs + lateMs + 2 * slowMs, probe);
  await world.run(profile.endMs, () => world.now >= restAt);
}
