/** A place for a worker: one life after another of the SDK's core, with a scripted runner. */
import { SessionService } from '../../../sdk/typescript/src/gen/muster/worker/v1/session_service_pb.ts';
import { uuidText } from '../../../sdk/typescript/src/uuid.ts';
import type { CoreEvent, SessionApi } from '../../../sdk/typescript/src/worker/core/base/ports.ts';
import { type CoreOptions, SessionCore } from '../../../sdk/typescript/src/worker/core/sessions/session-core.ts';
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import type { World } from '../../../server/tools/simulate/world.ts';
import type { History } from '../core/history.ts';
import { Process } from '../core/process.ts';
import type { BusHub } from '../network/sim-bus.ts';
import type { Rpc } from '../network/sim-rpc.ts';
import { type Executions, SimRunner } from './sim-runner.ts';

export interface WorkerDeps {
  readonly world: World;
  readonly history: History;
  readonly hub: BusHub;
  readonly rpc: Rpc;
  readonly executions: Executions;
}

export interface WorkerOffer {
  readonly slots: number;
  readonly handlers: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly resources: Readonly<Record<string, number>>;
}

interface LifeParts {
  readonly worker: string;
  readonly offer: WorkerOffer;
  readonly onOver: () => void;
  /** A handler kills the process. */
  readonly crash: () => void;
}

class Life {
  readonly process: Process;
  readonly core: SessionCore;
  readonly #runner: SimRunner;
  readonly #history: History;
  #session = '';

  constructor(deps: WorkerDeps, process: Process, parts: LifeParts) {
    const { worker, offer, onOver } = parts;
    this.process = process;
    this.#history = deps.history;
    this.#runner = new SimRunner({
      process,
      history: deps.history,
      executions: deps.executions,
      rpc: deps.rpc,
      core: () => this.core,
      session: () => this.#session,
      crash: parts.crash,
    });
    this.core = new SessionCore(optionsOf(worker, offer), {
      clock: process,
      timers: process,
      random: () => process.random.next(),
      newId: () => requestId(process.random),
      api: apiOf(deps.rpc, process),
      bus: deps.hub.workerBus(process),
      runner: this.#runner,
      onEvent: (event) => this.#happened(event, onOver),
      log: (level, message, fields) => deps.history.trace(process.name, `${level}: ${message}`, fields as never),
    });
  }

  get isBusy(): boolean {
    return this.#runner.isBusy;
  }

  die(): void {
    this.process.kill();
    this.#runner.die();
  }

  /** Adds the core's counts to those of the simulation. */
  tally(): void {
    for (const [what, times] of Object.entries(this.core.stats)) this.#history.count(`worker: ${what}`, times);
  }

  #happened(event: CoreEvent, onOver: () => void): void {
    if (event.type === 'opened') this.#session = uuidText(event.sessionId);
    this.#history.log(this.process.name, 'worker', { event: event.type, session: this.#session });
    if (event.type === 'failed')
      this.#history.violate('workers are welcome', `${this.process.name}: ${String(event.error)}`);
    if (event.type === 'closed' || event.type === 'failed') onOver();
  }
}

export class SimWorker {
  readonly name: string;
  readonly #deps: WorkerDeps;
  readonly #random: Prng;
  readonly #offer: WorkerOffer;
  #lives = 0;
  #life: Life | undefined;

  constructor(deps: WorkerDeps, name: string, random: Prng, offer: WorkerOffer) {
    this.#deps = deps;
    this.name = name;
    this.#random = random;
    this.#offer = offer;
  }

  /** Name of the live process. */
  /** Whether it runs, and one of its handlers too. */
  get isBusy(): boolean {
    return this.#life?.isBusy ?? false;
  }

  get processName(): string | undefined {
    return this.#life?.process.name;
  }

  start(): void {
    if (this.#life) return;
    const random = this.#random.fork(String(++this.#lives));
    const process = new Process(
      this.#deps.world,
      `${this.name}.${this.#lives}`,
      random,
      this.#random.pick([0.99, 1, 1.01]),
    );
    const life = new Life(this.#deps, process, {
      worker: this.name,
      offer: this.#offer,
      onOver: () => this.#over(life),
      crash: () => this.#crash(life),
    });
    this.#life = life;
    life.core.start();
  }

  /** SIGKILL. */
  kill(restartMs = this.#random.between(10, 3_000)): void {
    if (!this.#life) return;
    this.#deps.history.count('worker killed');
    this.#deps.history.trace(this.#life.process.name, 'dies');
    this.#end(this.#life, restartMs);
  }

  pause(ms: number): void {
    if (!this.#life) return;
    this.#life.process.pause(ms);
    this.#deps.history.count('worker paused');
    this.#deps.history.trace(this.#life.process.name, 'paused', { ms });
  }

  wake(): void {
    this.#life?.process.wake();
  }

  /** Finishes its jobs, closes, and returns as another process. */
  drain(): void {
    this.#deliver('worker drained', (life) => life.core.drain());
  }

  close(): void {
    this.#deliver('worker closed', (life) => life.core.close());
  }

  setSlots(slots: number): void {
    this.#deliver('slots changed', (life) => life.core.setSlots(slots));
  }

  /** Call at the end of the simulation. */
  tally(): void {
    this.#life?.tally();
  }

  #deliver(what: string, run: (life: Life) => void): void {
    const life = this.#life;
    if (!life) return;
    this.#deps.history.count(what);
    this.#deps.history.trace(life.process.name, what);
    life.process.deliver(() => run(life));
  }

  #crash(life: Life): void {
    if (this.#life !== life) return;
    this.#deps.history.count('worker taken down by a handler');
    this.#end(life, this.#random.between(10, 1_000));
  }

  #over(life: Life): void {
    if (this.#life === life) this.#end(life, this.#random.between(10, 2_000));
  }

  #end(life: Life, restartMs: number): void {
    life.die();
    life.tally();
    this.#life = undefined;
    this.#deps.world.after(restartMs, () => this.start());
  }
}

function optionsOf(worker: string, offer: WorkerOffer): CoreOptions {
  return {
    $typeName: 'muster.worker.v1.OpenSessionRequest',
    namespace: '',
    workerName: worker,
    protocolVersion: 1,
    sdk: { $typeName: 'muster.v1.Sdk', name: 'simulated', version: '0', language: 'none' },
    capabilities: [],
    handlers: offer.handlers.map((name) => ({ $typeName: 'muster.v1.Handler', name, minVersion: 0, maxVersion: 0 })),
    labels: { ...offer.labels },
    resources: { ...offer.resources },
    slots: offer.slots,
  };
}

function apiOf(rpc: Rpc, process: Process): SessionApi {
  const { openSession, sendHeartbeat: heartbeat, reportAttempts, closeSession } = SessionService.method;
  return {
    openSession: (request, timeoutMs) => rpc.call(process, openSession, request, timeoutMs),
    heartbeat: (request, timeoutMs) => rpc.call(process, heartbeat, request, timeoutMs),
    reportAttempts: (request, timeoutMs) => rpc.call(process, reportAttempts, request, timeoutMs),
    closeSession: (request, timeoutMs) => rpc.call(process, closeSession, request, timeoutMs),
  };
}

/** A version 4 UUID. */
export function requestId(random: Prng): string {
  const bytes = random.bytes16();
  bytes[6] = 0x40 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return uuidText(bytes);
}
