/** One segment of the campaign: a fresh deployment, a load, faults one after the other, and all checks at the end. */
import { inspect } from 'node:util';
import { openPostgres } from '../../../server/store/driver/postgres.ts';
import { verify } from '../../../server/store/upkeep/verify.ts';
import { check } from '../checker/check.ts';
import { Findings } from '../checker/evidence.ts';
import { LinearizabilityChecker, storyOf } from '../checker/linearizable.ts';
import { withoutTail } from '../checker/lost-tail.ts';
import { Dice } from '../harness/dice.ts';
import { loadPoints, Nemesis } from '../harness/nemesis.ts';
import { Run } from '../harness/run.ts';
import { type Fault, lackOfCompiler, lackOfPooler, needsRoot } from './faults/fault.ts';
import { fleetOf } from './fleet.ts';
import { MemoryWatch } from './memory.ts';
import type { Segment } from './plan.ts';
import type { World } from './world.ts';

/** More than the ten minutes over which memory is judged. */
const SOAK_MS = 11 * 60_000;
/** After each fault that keeps sessions from their beats for a lease. */
const MASS_LAPSE = /so many sessions lapsed at once/;
/** After its deadline. */
const MAX_LATE_MS = 1_000;

/** A fault that bit. */
interface Bite {
  readonly fault: string;
  readonly measured: string;
}

export interface SegmentResult extends Segment {
  /** When it began, in ISO 8601. */
  readonly began: string;
  readonly seconds: number;
  readonly bites: readonly Bite[];
  readonly counts: Readonly<Record<string, number>>;
  /** What this machine lacks. */
  readonly notRun: readonly string[];
  readonly violations: readonly string[];
}

export interface SegmentParts {
  readonly plan: Segment;
  /** The faults of a segment of lasting ones, in any order. */
  readonly faults: readonly Fault[];
  /** As in `DeploymentOptions`. */
  readonly checkouts: readonly string[];
  /** The checkout of workers. */
  readonly workersFrom: string | undefined;
  readonly rows: number;
  /** No more faults, finish the segment. */
  readonly isOver: () => boolean;
  readonly log: (line: string) => void;
  /** Undefined: this machine can't build it. */
  readonly linearizability: LinearizabilityChecker | undefined;
}

/** A segment that can't be built is a violation; the campaign continues. */
export async function runSegment(parts: SegmentParts): Promise<SegmentResult> {
  const began = new Date().toISOString();
  return playSegment(parts, began).catch((error: Error) => {
    parts.log(inspect(error));
    const violations = [`the segment could not be built: ${textOf(error)}`];
    return { ...parts.plan, began, seconds: 0, bites: [], notRun: [], counts: {}, violations };
  });
}

async function playSegment(parts: SegmentParts, began: string): Promise<SegmentResult> {
  const { plan, faults, checkouts, workersFrom, rows, isOver, log, linearizability } = parts;
  const dice = new Dice(plan.seed).fork();
  const started = performance.now();
  const fleet = fleetOf(dice.fork(), workersFrom);
  log(`workers: ${fleet.plans.map(({ name }) => name).join(', ')}`);
  let raging = true;
  const losesTail = plan.kind === 'lost tail';
  const run = await Run.start({
    ...plan,
    checkouts,
    smallDisk: plan.smallDisk && !needsRoot(),
    pooler: plan.pooler && !lackOfPooler(),
    slowSync: plan.kind !== 'crashes',
    dice,
    fleet: fleet.plans,
    clocks: !lackOfCompiler(),
    // Both keep their own records of what must not get lost.
    variety: !losesTail,
    // All replicas must know how workflows are paused.
    isUniform:
      checkouts.length === 0 && (plan.kind === 'crashes' || !faults.some(({ mixesReleases }) => mixesReleases)),
    registers: !losesTail,
    load: { callers: 3, atLeast: 500, atMost: 200_000, backlog: 200, mayLose: losesTail, enough: () => !raging },
  });
  const world: World = { run, dice: dice.fork(), rows, violations: [], expectedErrors: [MASS_LAPSE] };
  const bites: Bite[] = [];
  const note = (bite: Bite) => {
    bites.push(bite);
    log(`${bite.fault}: ${bite.measured}`);
  };
  const counts = new Map<string, number>();
  const memory = new MemoryWatch(run.deployment.replicas);
  try {
    if (plan.kind === 'crashes') await crash(world, note);
    else await inflictEach(world, dice.shuffled(faults), isOver, note);
    const soaks = () => plan.kind === 'soak' && performance.now() - started < SOAK_MS && !isOver();
    while (soaks()) await inflictEach(world, dice.shuffled(faults), () => !soaks(), note);
    judgeMemory(memory, world, note);
    raging = false;
    await run.heal();
    judgeAnswers(world, counts);
    await run.proveEachReplica(5);
    await verifyNow(world);
    await noteGarbage(world, note);
    const ailments = (await run.ailments()).filter(
      (text) => !world.expectedErrors.some((expected) => expected.test(text)),
    );
    await run.disband();
    const findings = await judge(world);
    for (const [what, times] of [...findings.counts, ...(run.variety?.tally.counts ?? [])]) counts.set(what, times);
    world.violations.push(...findings.violations, ...ailments, ...(run.variety?.violations ?? []));
  } catch (error) {
    log(inspect(error));
    world.violations.push(`the segment ended early: ${textOf(error)}`);
  } finally {
    raging = false;
    memory.stop();
    world.violations.push(...(await run.stop()).map((left) => `left behind: ${left}`));
  }
  if (linearizability && run.registers) judgeHistory(linearizability, world, note);
  const lack = LinearizabilityChecker.lack();
  const notRun = [...fleet.lacks, ...faults.flatMap(lackOf), ...(lack ? [`checker of linearizability: ${lack}`] : [])];
  if (process.env.CI === 'true') world.violations.push(...notRun.map((lack) => `not run: ${lack}`));
  return {
    ...plan,
    began,
    seconds: Math.round((performance.now() - started) / 1_000),
    bites,
    notRun,
    counts: Object.fromEntries(counts),
    violations: world.violations,
  };
}

async function judge({ run, lostTail: tail }: World): Promise<Findings> {
  if (!tail) return check(await run.evidence()).findings;
  const findings = new Findings();
  const stored = await run.facts.definitions();
  const evidence = await run.evidence((job) => !stored.has(job));
  const rest = check(withoutTail({ evidence, tail, stored, findings })).findings;
  rest.violations.push(...findings.violations);
  rest.add(findings);
  return rest;
}

function judgeMemory(memory: MemoryWatch, { violations }: World, note: (bite: Bite) => void): void {
  violations.push(...memory.violations());
  for (const [life, slope] of memory.slopes())
    note({ fault: 'memory of a replica, over ten minutes', measured: `${life}: ${slope.toFixed(2)} MB a minute` });
}

async function noteGarbage({ run }: World, note: (bite: Bite) => void): Promise<void> {
  for (const replica of run.deployment.replicas) {
    const { before, after, live } = await replica.memory();
    const [all, rest, objects] = [before, after, live].map(Math.round);
    note({
      fault: 'memory of a replica without its garbage',
      measured: `${replica.name}: ${rest} MB of ${all}, live objects ${objects}`,
    });
  }
}

function judgeAnswers({ run, violations }: World, counts: Map<string, number>): void {
  const ms = Math.round(run.load.latestMs);
  counts.set('latest answer after its deadline, ms', ms);
  if (ms > MAX_LATE_MS) violations.push(`a call of the load was answered ${ms} ms after its deadline`);
}

function judgeHistory(checker: LinearizabilityChecker, { run, violations }: World, note: (bite: Bite) => void): void {
  const history = run.registers?.history ?? [];
  for (const [kind, verdict] of Object.entries(checker.check(history))) {
    const { linearizable, unknown, broken, operations, open } = verdict;
    for (const object of broken) violations.push(`not linearizable: ${object}\n${storyOf(object, history)}`);
    note({
      fault: `each ${kind} linearizable, as clients saw it`,
      measured: `${linearizable} of ${linearizable + unknown.length + broken.length}, ${unknown.length} unknown; ${operations} operations, ${open} without an answer`,
    });
  }
}

async function crash(world: World, note: (bite: Bite) => void): Promise<void> {
  const nemesis = new Nemesis(world.run, world.dice.fork(), world.dice.shuffled(loadPoints));
  await nemesis.rage();
  for (const [fault, times] of nemesis.tally.counts) note({ fault, measured: `${times} times` });
  await verifyNow(world);
}

async function inflictEach(
  world: World,
  faults: readonly Fault[],
  isOver: () => boolean,
  note: (bite: Bite) => void,
): Promise<void> {
  for (const fault of faults) {
    if (isOver()) return;
    if (fault.lack?.()) continue;
    try {
      note({ fault: fault.name, measured: await fault.inflict(world) });
      await world.run.progress(30);
    } catch (error) {
      throw new Error(`${fault.name}: ${(error as Error).message}`, { cause: error });
    }
    await verifyNow(world);
  }
}

function lackOf({ name, lack }: Fault): string[] {
  const text = lack?.();
  return text ? [`${name}: ${text}`] : [];
}

/** The rules of `muster verify`, under load. */
async function verifyNow({ run, violations }: World): Promise<void> {
  const database = openPostgres({ url: run.deployment.databaseUrl, poolSize: 2, applicationName: 'verify' });
  try {
    for (const { name, faults, faultCount } of await verify(database))
      if (faultCount > 0)
        violations.push(`verify ${name}: ${faultCount} faults, first ${faults[0]?.subject} ${faults[0]?.fault}`);
  } finally {
    await database.close();
  }
}

/** Its messages, without places: the journal is kept in the repository. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${textOf(error.cause)}`;
}
