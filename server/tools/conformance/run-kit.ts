/** Runs cases against workers of one command, several at once, and reports the results. */
import { availableParallelism } from 'node:os';
import type { Case } from './case.ts';
import { type CaseResult, type CaseRun, type KitOptions, runCase } from './case-run.ts';
import { WallClock } from './clocks/wall-clock.ts';
import { type DisturbanceWatch, watchDisturbance } from './disturbance.ts';
import { DEFAULT_SLOTS, DEFAULT_TERMS, Lab } from './lab.ts';
import { Bus } from './plane/bus.ts';
import { Turns } from './turns.ts';
import { endText } from './worker-process.ts';

/** The command is not a worker: it can't be started, or opens no session. */
export class NoWorker extends Error {
  /** The last lines of its output. */
  readonly words: readonly string[];

  constructor(message: string, words: readonly string[] = []) {
    super(message);
    this.words = words;
  }
}

const FIRST_CALL_MS = 30_000;
const AGAIN = 2;
/** With more disturbed cases the machine is too busy, and repeats would not help. */
const MAX_REPEATS = 20;
/** One in this many lanes begins with the cases that share a worker. */
const LANES_PER_SHARED = 8;
/** A starting worker uses a whole core, and then waits most of the time: more concurrent starts would disturb cases. */
const starts = new Turns(Math.max(2, availableParallelism()));

/**
 * Results in the order in which cases ended.
 *
 * @throws NoBus, and NoWorker before the first case.
 */
export async function runKit(options: KitOptions): Promise<CaseResult[]> {
  const bus = await Bus.start();
  try {
    await new Kit(options, bus).tryWorker();
    return await runCases(options, bus);
  } finally {
    await bus.stop();
  }
}

/** As `runKit`, with a running bus and without checking the command first. */
export function runCases(options: KitOptions, bus: Bus): Promise<CaseResult[]> {
  return new Kit(options, bus).run();
}

class Kit {
  readonly #options: KitOptions;
  readonly #bus: Bus;
  readonly #watch: (lab: Lab) => DisturbanceWatch;
  readonly #results: CaseResult[] = [];
  readonly #disturbed: CaseRun[] = [];
  readonly #own: Case[];
  readonly #shared: Case[];

  constructor(options: KitOptions, bus: Bus) {
    this.#options = options;
    this.#bus = bus;
    this.#watch = options.watch ?? watchDisturbance;
    const offered = options.cases.filter((one) => !isForgone(one, options));
    this.#own = offered.filter(({ isShared }) => !isShared);
    this.#shared = offered.filter(({ isShared }) => isShared);
  }

  async run(): Promise<CaseResult[]> {
    for (const one of this.#options.cases.filter((one) => isForgone(one, this.#options))) this.#settle(forgone(one));
    await Promise.all(Array.from({ length: this.#options.parallel }, (_, at) => this.#lane(at + 1)));
    for (const [at, run] of this.#disturbed.entries()) {
      if (this.#options.signal.aborted) break;
      this.#settle(at < MAX_REPEATS ? await this.#runAlone(run) : run);
    }
    return this.#results;
  }

  /** @throws NoWorker if the command does not even call OpenSession. */
  async tryWorker(): Promise<void> {
    const lab = await this.#open({});
    const deadline = performance.now() + FIRST_CALL_MS;
    try {
      lab.startProcess();
      while (lab.plane.sessions.length === 0 && !this.#options.signal.aborted) {
        const { process } = lab;
        const fault = process?.startFault;
        if (fault) throw new NoWorker(`the worker can't be started: ${fault.message}`);
        const words = process?.lastWords() ?? [];
        if (process?.ended)
          throw new NoWorker(`the worker ended (${endText(process.ended)}) before it opened a session`, words);
        if (performance.now() > deadline)
          throw new NoWorker(`the worker opened no session within ${FIRST_CALL_MS / 1_000} s`, words);
        await lab.nextChange(100);
      }
    } finally {
      await lab.close();
    }
  }

  /** Cases with a worker of their own take longest, so they run first, except in a few lanes. */
  async #lane(nth: number): Promise<void> {
    if (nth % LANES_PER_SHARED === 0) await this.#sharedLane();
    for (let one = this.#next(this.#own); one; one = this.#next(this.#own)) this.#take(await this.#runWithOwnLab(one));
    await this.#sharedLane();
  }

  /** One worker after the other, each used until a case fails. */
  async #sharedLane(): Promise<void> {
    let lab: Lab | undefined;
    try {
      for (let one = this.#next(this.#shared); one; one = this.#next(this.#shared)) {
        lab ??= await this.#open(one);
        const result = await this.#runCase(one, lab);
        this.#take(result);
        if (result?.verdict === 'passed') continue;
        await lab.close();
        lab = undefined;
      }
    } finally {
      await lab?.close();
    }
  }

  #next(cases: Case[]): Case | undefined {
    return this.#options.signal.aborted ? undefined : cases.shift();
  }

  async #open({ slots = DEFAULT_SLOTS, terms, hasWallClock = false }: Partial<Case>): Promise<Lab> {
    const endTurn = await starts.take();
    let wallClock: WallClock | undefined;
    try {
      wallClock = hasWallClock ? await WallClock.make() : undefined;
      const { command } = this.#options;
      const options = { command, bus: this.#bus, slots, terms: { ...DEFAULT_TERMS, ...terms }, wallClock };
      const lab = await Lab.open(options);
      void lab.started.then(endTurn);
      return lab;
    } catch (error) {
      wallClock?.remove();
      endTurn();
      throw error;
    }
  }

  async #runWithOwnLab(one: Case): Promise<CaseRun | undefined> {
    const lab = await this.#open(one);
    return this.#runCase(one, lab).finally(() => lab.close());
  }

  async #runCase(one: Case, lab: Lab): Promise<CaseRun | undefined> {
    const watch = this.#watch(lab);
    return runCase(one, lab, watch, this.#options).finally(() => watch.close());
  }

  /** A disturbed case is not reported before it has run alone. */
  #take(run: CaseRun | undefined): void {
    if (run?.verdict === 'disturbed') this.#disturbed.push(run);
    else this.#settle(run);
  }

  /** Runs the case alone until a run is undisturbed, up to the maximum of repeats. */
  async #runAlone(first: CaseRun): Promise<CaseRun | undefined> {
    const { again = AGAIN, onDisturbed } = this.#options;
    let last = first;
    for (let nth = 1; nth <= again && last.verdict === 'disturbed'; nth++) {
      onDisturbed?.(last);
      const next = await this.#runWithOwnLab(first.one);
      if (next === undefined) return undefined;
      last = { ...next, disturbances: [...last.disturbances, ...next.disturbances] };
    }
    return last;
  }

  #settle(run: CaseRun | undefined): void {
    if (run === undefined) return;
    const result = resultOf(run);
    this.#results.push(result);
    this.#options.onResult(result);
  }
}

function isForgone({ needs }: Case, { without = [] }: KitOptions): boolean {
  return needs !== undefined && without.includes(needs);
}

function forgone(one: Case): CaseRun {
  const why = `the worker is said to be without ${one.needs}`;
  return { one, verdict: 'not offered', ms: 0, why, step: '', words: [], disturbances: [] };
}

/** For a case that was disturbed in every run, the fault is unknown: it has not passed. */
function resultOf({ verdict, ...run }: CaseRun): CaseResult {
  if (verdict !== 'disturbed') return { ...run, verdict };
  const { why, disturbances } = run;
  return { ...run, verdict: 'failed', why: `${why}; disturbed to the end: ${disturbances.at(-1)}` };
}
