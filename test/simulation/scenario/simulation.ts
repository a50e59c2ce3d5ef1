/** One simulated deployment, wired: database, bus, calls, replicas, workers, clients. */

import { Line } from '../../../server/tools/simulate/line.ts';
import { Prng } from '../../../server/tools/simulate/prng.ts';
import type { SimPostgres } from '../../../server/tools/simulate/sim-postgres.ts';
import { World } from '../../../server/tools/simulate/world.ts';
import { Conditions } from '../core/conditions.ts';
import { History } from '../core/history.ts';
import { Process } from '../core/process.ts';
import { BusHub } from '../network/sim-bus.ts';
import { Rpc } from '../network/sim-rpc.ts';
import { Caller } from '../nodes/sim-caller.ts';
import { SimClient } from '../nodes/sim-client.ts';
import { SimFlows } from '../nodes/sim-flows.ts';
import { SimLinks } from '../nodes/sim-links.ts';
import { SimOperator } from '../nodes/sim-operator.ts';
import { SimReplica } from '../nodes/sim-replica.ts';
import { SimUpkeep } from '../nodes/sim-upkeep.ts';
import { SimWorker } from '../nodes/sim-worker.ts';
import { ExecutionWatch } from './execution-watch.ts';
import type { Profile } from './profile.ts';

export interface Simulation {
  readonly world: World;
  readonly postgres: SimPostgres;
  /** Before the one connection to the database. */
  readonly line: Line;
  readonly random: Prng;
  readonly history: History;
  readonly conditions: Conditions;
  readonly hub: BusHub;
  readonly replicas: readonly SimReplica[];
  readonly workers: readonly SimWorker[];
  readonly client: SimClient;
  readonly operator: SimOperator;
  readonly upkeepRunner: SimUpkeep;
  /** The process of clients and operators. */
  readonly caller: Caller;
  readonly flows: SimFlows;
  /** The process of clients with workflows and batches. */
  readonly flowCaller: Caller;
  readonly links: SimLinks;
  /** The process of clients with waits. */
  readonly linkCaller: Caller;
  readonly profile: Profile;
}

export function buildSimulation(
  postgres: SimPostgres,
  seed: number,
  profile: Profile,
  keepsTrace: boolean,
): Simulation {
  const random = new Prng(`seed ${seed}`);
  const world = new World();
  const history = new History(world, keepsTrace);
  const conditions = new Conditions(random.fork('conditions'));
  const hub = new BusHub({
    world,
    conditions,
    history,
    random: random.fork('bus'),
    onAssigned: (job) => operator.saw('assigned', job),
  });
  const replicas: SimReplica[] = [];
  const servers = () => ({ up: replicas.flatMap((replica) => replica.life ?? []), slots: replicas.length });
  const rpc = new Rpc({ world, conditions, history, random: random.fork('rpc'), servers });
  const caller = new Caller({
    rpc,
    history,
    process: new Process(world, 'client', random.fork('client'), 1),
    virtualNow: () => world.now,
  });
  // With a random source of its own, so that the draws of the others do not shift.
  const flowCaller = new Caller({
    rpc,
    history,
    process: new Process(world, 'flow-client', new Prng(`flow client of seed ${seed}`), 1),
    virtualNow: () => world.now,
  });
  const linkCaller = new Caller({
    rpc,
    history,
    process: new Process(world, 'link-client', new Prng(`link client of seed ${seed}`), 1),
    virtualNow: () => world.now,
  });
  const known = new Map<string, string>();
  const flows = new SimFlows(flowCaller, known);
  const links = new SimLinks(linkCaller, known);
  const operator = new SimOperator(caller);
  const client = new SimClient(caller, operator);
  const upkeepRunner = new SimUpkeep(caller);
  const line = new Line(world);
  const deps = { world, line, postgres, conditions, history, hub, rpc, times: profile.times };
  for (let i = 1; i <= profile.replicas; i++)
    replicas.push(new SimReplica(deps, `replica-${i}`, random.fork(`replica ${i}`)));
  const executions = new ExecutionWatch(history, (job) => operator.saw('started', job));
  const workers = profile.workers.map(
    (offer, i) =>
      new SimWorker({ world, history, hub, rpc, executions }, `worker-${i + 1}`, random.fork(`worker ${i + 1}`), offer),
  );
  return {
    world,
    postgres,
    line,
    random,
    history,
    conditions,
    hub,
    replicas,
    workers,
    client,
    operator,
    upkeepRunner,
    caller,
    flows,
    flowCaller,
    links,
    linkCaller,
    profile,
  };
}
