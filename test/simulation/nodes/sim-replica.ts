/** A place for a replica: one life after another of the product's engine and API handlers. */
import { type ServiceBinding, services } from '../../../server/api/service.ts';
import { sessionService } from '../../../server/api/sessions/sessions.ts';
import { composeStore } from '../../../server/engine/base/composed-store.ts';
import { DbClock } from '../../../server/engine/base/db-clock.ts';
import type { Log } from '../../../server/engine/ports/ports.ts';
import type { SessionTimes } from '../../../server/engine/ports/sessions.ts';
import { createReplica, type Replica } from '../../../server/engine/replica.ts';
import { failureText } from '../../../server/store/base/failure-text.ts';
import { createStatements } from '../../../server/store/store.ts';
import { inPlace } from '../../../server/tools/simulate/in-place.ts';
import type { Line } from '../../../server/tools/simulate/line.ts';
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import type { SimPostgres } from '../../../server/tools/simulate/sim-postgres.ts';
import type { World } from '../../../server/tools/simulate/world.ts';
import type { Conditions } from '../core/conditions.ts';
import type { History } from '../core/history.ts';
import { Process } from '../core/process.ts';
import { SimDatabase } from '../database/sim-database.ts';
import type { BusHub } from '../network/sim-bus.ts';
import type { Rpc, Server } from '../network/sim-rpc.ts';
import { ReplicaApi } from './replica-api.ts';

export interface ReplicaDeps {
  readonly world: World;
  readonly line: Line;
  readonly postgres: SimPostgres;
  readonly conditions: Conditions;
  readonly history: History;
  readonly hub: BusHub;
  readonly rpc: Rpc;
  readonly times: SessionTimes;
}

/** Where to die: around the next statement with this name, or around any. */
export interface DeathPlan {
  readonly when: 'before' | 'after';
  readonly statement: string | undefined;
}

const STOP_WAIT_MS = 5_000;

class Life implements Server {
  readonly process: Process;
  readonly #deps: ReplicaDeps;
  readonly #database: SimDatabase;
  readonly #replica: Replica;
  readonly #api: ReplicaApi;
  accepting = false;
  plan: DeathPlan | undefined;

  constructor(deps: ReplicaDeps, process: Process, onDeath: () => void) {
    this.#deps = deps;
    this.process = process;
    const { history } = deps;
    const atStatement = (name: string, when: 'before' | 'after') => {
      if (!this.plan || this.plan.when !== when || (this.plan.statement ?? name) !== name) return;
      this.plan = undefined;
      history.count(`replica died ${when} ${name}`);
      onDeath();
    };
    this.#database = new SimDatabase({ ...deps, process, atStatement });
    this.#replica = createReplica({
      store: composeStore(createStatements(this.#database)),
      bus: deps.hub.replicaBus(process),
      ...inPlace,
      clock: process,
      dbClock: new DbClock(process, this.#log()),
      timers: process,
      random: process.random,
      log: this.#log(),
      times: deps.times,
      failureText,
    });
    this.#api = new ReplicaApi(bindingsOf(this.#replica, process), history, process);
  }

  async start(): Promise<void> {
    await this.#replica.prepare();
    this.accepting = true;
    this.#replica.start();
  }

  handle(path: string, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    return this.#api.handle(path, body, signal);
  }

  /** As the product's main does: no new calls, a bounded wait for open ones, then the engine. */
  async stop(): Promise<void> {
    this.accepting = false;
    this.#replica.waits.stop();
    await new Promise<void>((resolve) => {
      this.process.after(STOP_WAIT_MS, resolve);
      void this.#api.idle().then(resolve);
    });
    await this.#replica.stop();
  }

  pause(ms: number): void {
    this.process.pause(ms);
    this.#database.abandon();
  }

  end(): void {
    this.accepting = false;
    this.process.kill();
    this.#database.abandon();
    this.#deps.hub.leave(this.process);
    this.#deps.rpc.died(this);
  }

  #log(): Log {
    const { history } = this.#deps;
    const write = (level: string) => (facts: Record<string, unknown>, message: string) => {
      history.count(`log ${level}: ${message}`);
      history.trace(this.process.name, `${level}: ${message}`, { facts: JSON.stringify(facts) });
    };
    return { info: write('info'), warn: write('warn'), error: write('error') };
  }
}

export class SimReplica {
  readonly name: string;
  readonly #deps: ReplicaDeps;
  readonly #random: Prng;
  #lives = 0;
  #life: Life | undefined;

  constructor(deps: ReplicaDeps, name: string, random: Prng) {
    this.#deps = deps;
    this.name = name;
    this.#random = random;
  }

  get life(): Server | undefined {
    return this.#life?.accepting ? this.#life : undefined;
  }

  get exists(): boolean {
    return this.#life !== undefined;
  }

  start(): void {
    if (this.#life) return;
    const { world, history, conditions } = this.#deps;
    if (conditions.isClockWrong) return void world.after(200, () => this.start());
    const random = this.#random.fork(String(++this.#lives));
    const process = new Process(world, `${this.name}.${this.#lives}`, random, this.#random.pick([0.99, 1, 1.01]));
    const life = new Life(this.#deps, process, () => this.crash());
    this.#life = life;
    history.log(process.name, 'starts');
    life.start().catch((error: unknown) => {
      history.count('replica could not start');
      history.trace(process.name, 'could not start', { error: String(error) });
      this.crash();
    });
  }

  /** Dies at once; another life starts after a while. */
  crash(restartMs = this.#random.between(20, 3_000)): void {
    const life = this.#life;
    if (!life) return;
    this.#life = undefined;
    life.end();
    this.#deps.history.count('replica crashed');
    this.#deps.history.trace(life.process.name, 'dies');
    this.#deps.world.after(restartMs, () => this.start());
  }

  crashAt(plan: DeathPlan): void {
    if (this.#life) this.#life.plan = plan;
  }

  forgetPlan(): void {
    if (this.#life) this.#life.plan = undefined;
  }

  pause(ms: number): void {
    this.#life?.pause(ms);
    this.#deps.history.count('replica paused');
    this.#deps.history.trace(this.name, 'paused', { ms });
  }

  wake(): void {
    this.#life?.process.wake();
  }

  /** Graceful stop and start. */
  async restart(): Promise<void> {
    const life = this.#life;
    if (!life?.accepting) return;
    this.#deps.history.trace(life.process.name, 'stops');
    await life.stop();
    if (this.#life !== life) return;
    this.#life = undefined;
    life.end();
    this.#deps.history.count('replica stopped and started');
    this.#deps.world.after(this.#random.between(10, 1_000), () => this.start());
  }
}

/** The product's own bindings, with the limits of SessionService on virtual time. */
function bindingsOf(replica: Replica, process: Process): ServiceBinding[] {
  return services(replica).map((binding) =>
    binding.service.typeName === 'muster.worker.v1.SessionService'
      ? { ...binding, handlers: { ...sessionService(replica, process) } }
      : binding,
  );
}
