/** One segment of the campaign: a fresh deployment, a load, faults one after the other, and all checks at the end. */
import { openPostgres } from '../../../server/store/driver/postgres.ts';
import { verify } from '../../../server/store/upkeep/verify.ts';
import { check } from '../checker/check.ts';
import { Dice } from '../harness/dice.ts';
import { loadPoints, Nemesis } from '../harness/nemesis.ts';
import { Run } from '../harness/run.ts';
import { type Fault, lastingFaults } from './faults.ts';
import type { World } from './world.ts';

export interface Segment {
  readonly seed: number;
  readonly kind: 'crashes' | 'lasting faults';
  readonly replicas: number;
  readonly leaseMs: number;
}

export interface SegmentResult extends Segment {
  readonly seconds: number;
  /** The faults that bit, with their measurements. */
  readonly bites: readonly { readonly fault: string; readonly measured: string }[];
  readonly counts: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
}

const SHORT = { beatMs: 600, leaseMs: 3_000 };
const DEFAULT = { beatMs: 5_000, leaseMs: 15_000 };

/** What a seed decides; what the operating system runs when is not decided. */
export function planOf(seed: number): Segment & { readonly beatMs: number } {
  const dice = new Dice(seed);
  const kind = dice.pick(['crashes', 'lasting faults', 'lasting faults'] as const);
  const times = kind === 'crashes' || dice.chance(0.6) ? SHORT : DEFAULT;
  return { seed, kind, replicas: dice.int(2, 3), ...times };
}

/** `isOver`: no more faults, finish the segment. */
export async function runSegment(
  seed: number,
  isOver: () => boolean,
  log: (line: string) => void,
): Promise<SegmentResult> {
  const plan = planOf(seed);
  const dice = new Dice(seed).fork();
  const started = performance.now();
  let raging = true;
  const run = await Run.start({
    ...plan,
    dice,
    fleet: [
      { name: 'ts-one', language: 'typescript', slots: 12 },
      { name: 'ts-two', language: 'typescript', slots: 12 },
      { name: 'python', language: 'python', slots: 8 },
    ],
    load: { callers: 3, atLeast: 500, atMost: 200_000, backlog: 200, enough: () => !raging },
  });
  const world: World = { run, dice: dice.fork(), violations: [] };
  const bites: { fault: string; measured: string }[] = [];
  const counts = new Map<string, number>();
  try {
    if (plan.kind === 'crashes') {
      const nemesis = new Nemesis(run, dice.fork(), dice.shuffled(loadPoints));
      await nemesis.rage();
      for (const [fault, times] of nemesis.tally.counts) bites.push({ fault, measured: `${times} times` });
      await verifyNow(world);
    } else
      for (const fault of chosen(dice, plan.leaseMs)) {
        if (isOver()) break;
        const measured = await fault.inflict(world);
        log(`${fault.name}: ${measured}`);
        bites.push({ fault: fault.name, measured });
        await run.progress(30);
        await verifyNow(world);
      }
    raging = false;
    await run.heal();
    await run.proveEachReplica(5);
    await verifyNow(world);
    const ailments = run.ailments();
    await run.disband();
    const { findings } = check(await run.evidence());
    for (const [what, times] of findings.counts) counts.set(what, times);
    world.violations.push(...findings.violations, ...ailments);
  } catch (error) {
    world.violations.push(`the segment ended early: ${(error as Error).stack ?? error}`);
  } finally {
    raging = false;
    world.violations.push(...(await run.stop()).map((left) => `left behind: ${left}`));
  }
  const { beatMs: _beat, ...segment } = plan;
  const tookSeconds = Math.round((performance.now() - started) / 1_000);
  return { ...segment, seconds: tookSeconds, bites, counts: Object.fromEntries(counts), violations: world.violations };
}

/** Ten leases are too long with the default lease. */
function chosen(dice: Dice, leaseMs: number): readonly Fault[] {
  const faults = dice.shuffled(lastingFaults);
  return leaseMs === SHORT.leaseMs ? faults : faults.filter(({ name }) => !name.includes('10 leases'));
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
