/**
 * Larger faults: processes die, stop and return, connections are cut, the bus or the database goes away; then
 * everything recovers.
 */

import type { Prng } from '../../../server/tools/simulate/prng.ts';
import { MAX_OUTAGE_LEASES, noFaults } from '../core/conditions.ts';
import type { SimWorker } from '../nodes/sim-worker.ts';
import type { Simulation } from './simulation.ts';

const HOUR_US = 3_600_000_000;
/** Share of the seeds in which the clock of the database steps. */
const SEEDS_WITH_STEPS = 0.4;

/** Share of the seeds in which probes of breakers are late from the beginning. */
const SEEDS_WITH_LATE_PROBES = 0.4;

type Incident = (simulation: Simulation, random: Prng, leaseMs: number) => void;

/** Statements around which replicas die: those that change something. */
const deadlyStatements = [
  'claim_jobs',
  'claim_jobs',
  'complete_attempts',
  'complete_attempts',
  'insert_jobs',
  'insert_jobs',
  'COMMIT',
  'COMMIT',
  'lock_attempts',
  'update_runs',
  'end_runs',
  'renew_sessions',
  'close_sessions',
  'close_sessions',
  'lock_session_runs',
  'end_sessions',
  'insert_session',
  'observe_attempts',
  'save_progress',
  'gate_lanes',
  'update_breakers',
  'spend_retry_budget',
  'drain_session',
  undefined,
] as const;

/** Runs `end` after the time, unless the world has recovered by then. */
function lasts(simulation: Simulation, ms: number, end: () => void): void {
  simulation.world.after(ms, end);
}

const crash: Incident = ({ replicas }, random) => random.pick(replicas).crash();

const crashAtStatement: Incident = (simulation, random, leaseMs) => {
  const replica = random.pick(simulation.replicas);
  replica.crashAt({ when: random.pick(['before', 'after']), statement: random.pick(deadlyStatements) });
  lasts(simulation, 3 * leaseMs, () => replica.forgetPlan());
};

const pauseReplica: Incident = ({ replicas }, random, leaseMs) =>
  random.pick(replicas).pause(random.between(0.05, 1.6) * leaseMs);
const restartReplica: Incident = ({ replicas }, random) => void random.pick(replicas).restart();
const killWorker: Incident = ({ workers }, random) => random.pick(workers).kill();
/** Rather one whose handlers run: their jobs begin elsewhere if it stays away for long. */
const pauseWorker: Incident = ({ workers }, random, leaseMs) => {
  const busy = workers.filter(({ isBusy }) => isBusy);
  const worker = random.pick(busy.length > 0 ? busy : workers);
  worker.pause(random.pick([0.1, 0.9, 1.5, 4]) * leaseMs * random.between(0.8, 1.2));
};
const drainWorker: Incident = ({ workers }, random) => random.pick(workers).drain();
const closeWorker: Incident = ({ workers }, random) => random.pick(workers).close();
const changeSlots: Incident = ({ workers }, random) => random.pick(workers).setSlots(random.int(1, 4));

type Way = 'requests' | 'replies' | 'both';

function cut(simulation: Simulation, workers: readonly SimWorker[], which: Way, ms: number): void {
  const { conditions, history } = simulation;
  for (const { name } of workers) {
    history.trace(name, `cut off: ${which}`, { ms });
    if (which !== 'replies') conditions.cutRequests.add(name);
    if (which !== 'requests') conditions.cutReplies.add(name);
  }
  lasts(simulation, ms, () => {
    for (const { name } of workers) {
      conditions.cutRequests.delete(name);
      conditions.cutReplies.delete(name);
    }
  });
}

const cutWorker: Incident = (simulation, random, leaseMs) =>
  cut(
    simulation,
    [random.pick(simulation.workers)],
    random.pick(['requests', 'replies', 'both']),
    random.between(0.5, 3) * leaseMs,
  );

/** Long enough for all of them to lapse and stay so for one more lease. */
const cutEverybody: Incident = (simulation, random, leaseMs) => {
  simulation.history.count('all workers cut off');
  cut(simulation, simulation.workers, random.pick(['requests', 'both']), random.between(1.2, 3.2) * leaseMs);
};

/** A session lapses for a moment only, and the statement that closes it is late: a heartbeat may be faster. */
const lateClose: Incident = (simulation, random, leaseMs) => {
  const { conditions, workers } = simulation;
  cut(simulation, [random.pick(workers)], 'requests', leaseMs + random.between(0, 1_500));
  conditions.lateOnce.set('close_sessions', random.between(0.2, 0.8) * leaseMs);
};

/** From then on replicas that see that a breaker's probe is due start it late: another one may be faster. */
const lateProbes: Incident = ({ conditions }, random) => {
  conditions.lateAlways.set('read_lanes_to_probe', random.between(500, 3_000));
};

const deafWorker: Incident = (simulation, random, leaseMs) => {
  const { hub, history, workers } = simulation;
  const { name } = random.pick(workers);
  const stays = random.chance(0.4);
  history.trace(name, 'goes deaf', { stays });
  hub.setDeaf(name, stays);
  lasts(simulation, random.between(1, 4) * leaseMs, () => hub.setHearing(name));
};

const busDown: Incident = (simulation, random, leaseMs) => {
  const { hub, history, replicas } = simulation;
  const replica = random.chance(0.3) ? random.pick(replicas).name : undefined;
  history.count('bus down');
  history.trace('bus', 'goes down', { replica });
  hub.setDown(replica, true);
  lasts(simulation, random.between(0.4, 2) * leaseMs, () => hub.setDown(replica, false));
};

const databaseDown: Incident = (simulation, random, leaseMs) => {
  const { conditions, history } = simulation;
  history.count('database down');
  history.trace('database', 'goes down');
  conditions.databaseDown = true;
  lasts(simulation, random.between(0.1, MAX_OUTAGE_LEASES) * leaseMs, () => {
    conditions.databaseDown = false;
  });
};

/**
 * The clock of the database is an hour ahead or behind for some seconds: less than a lease, and less than the time after
 * which replicas follow it. None starts meanwhile: it would take that time for the right one.
 */
const databaseClockStep: Incident = ({ world, conditions, history, postgres, replicas }, random) => {
  if (postgres.aheadUs !== 0 || replicas.some((replica) => !replica.life)) return;
  const hours = random.pick([1, -1]);
  history.count(`clock of the database ${hours > 0 ? 'ahead' : 'behind'}`);
  history.trace('database', 'clock steps', { hours });
  postgres.aheadUs = hours * HOUR_US;
  conditions.isClockWrong = true;
  world.after(random.between(500, 4_000), () => endClockStep({ conditions, postgres, history }));
};

function endClockStep({
  conditions,
  postgres,
  history,
}: Pick<Simulation, 'conditions' | 'postgres' | 'history'>): void {
  if (postgres.aheadUs !== 0) history.trace('database', 'clock steps back');
  postgres.aheadUs = 0;
  conditions.isClockWrong = false;
}

const incidents: readonly (readonly [Incident, number])[] = [
  [crash, 2],
  [crashAtStatement, 6],
  [pauseReplica, 3],
  [restartReplica, 2],
  [killWorker, 3],
  [pauseWorker, 4],
  [drainWorker, 3],
  [closeWorker, 1],
  [changeSlots, 2],
  [cutWorker, 4],
  [cutEverybody, 0.5],
  [lateClose, 2],
  [lateProbes, 2],
  [deafWorker, 2],
  [busDown, 2],
  [databaseDown, 1],
];

function draw(random: Prng): Incident {
  let left = random.next() * incidents.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [incident, weight] of incidents) {
    left -= weight;
    if (left < 0) return incident;
  }
  return crash;
}

/** Plans all faults, and the moment at which they stop. */
export function unleash(simulation: Simulation): void {
  const { world, random, profile, conditions } = simulation;
  const nemesis = random.fork('nemesis');
  const { leaseMs } = profile.times;
  conditions.faults = profile.faults;
  for (let i = 0; i < profile.incidents; i++) {
    const incident = draw(nemesis);
    world.at(nemesis.between(200, profile.healMs), () => {
      if (world.now < profile.healMs) incident(simulation, nemesis, leaseMs);
    });
  }
  // Each with a random source of its own, so that the draws of the others do not shift.
  const probes = random.fork('late probes');
  if (profile.incidents > 0 && probes.chance(SEEDS_WITH_LATE_PROBES)) lateProbes(simulation, probes, leaseMs);
  const clocks = random.fork('clock of the database');
  if (profile.incidents > 0 && clocks.chance(SEEDS_WITH_STEPS))
    for (let i = 0; i < clocks.int(1, 3); i++)
      world.at(clocks.between(0.05, 0.9) * profile.healMs, () => databaseClockStep(simulation, clocks, leaseMs));
  if (profile.name === 'crowd')
    world.at(profile.healMs * nemesis.between(0.3, 0.5), () =>
      cut(simulation, simulation.workers, 'requests', 3.5 * leaseMs),
    );
  world.at(profile.healMs, () => heal(simulation));
}

function heal({ conditions, hub, replicas, workers, history, postgres }: Simulation): void {
  endClockStep({ conditions, postgres, history });
  history.trace('world', 'heals');
  conditions.faults = noFaults;
  conditions.databaseDown = false;
  conditions.cutRequests.clear();
  conditions.cutReplies.clear();
  conditions.lateOnce.clear();
  conditions.lateAlways.clear();
  conditions.lateAfter.clear();
  hub.setDown(undefined, false);
  for (const { name } of replicas) hub.setDown(name, false);
  for (const replica of replicas) {
    replica.forgetPlan();
    replica.wake();
  }
  for (const worker of workers) {
    hub.setHearing(worker.name);
    worker.wake();
  }
}

/** Interval of the search for a busy worker, in ms of virtual time. */
const SEARCH_MS = 100;

/** A worker whose handler runs stays away for so long that the job begins elsewhere. */
export function stopBusyWorker(simulation: Simulation): void {
  const { world, workers, profile } = simulation;
  const { leaseMs } = profile.times;
  const busy = workers.find(({ isBusy }) => isBusy);
  if (busy) busy.pause(4 * leaseMs);
  world.after(busy ? 6 * leaseMs : SEARCH_MS, () => stopBusyWorker(simulation));
}
