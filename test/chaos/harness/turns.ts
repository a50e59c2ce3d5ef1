/** Replicas that die in turns, each at a named point of the work. */
import type { KillPoint } from '../../../server/engine/base/kill-points.ts';
import { eventually } from '../../support/base/eventually.ts';
import type { Deployment } from './deployment.ts';
import type { ReplicaProcess } from './replica-process.ts';

/** A point, and the passing of it at which the replica dies. */
export type Kill = readonly [point: KillPoint, passing: number];

const MAX_ROUNDS = 5;
const ROUND_MS = 60_000;

/**
 * Kills one of the two replicas at the point. It has all of the work until then; after that both serve again.
 *
 * @param work Gets a promise that resolves when the replica is dead.
 */
export async function dieInTurn<T>(
  { replicas }: Deployment,
  turn: number,
  [point, passing]: Kill,
  work: (dead: Promise<void>) => T,
): Promise<Awaited<T>> {
  const victim = replicas[turn % 2] as ReplicaProcess;
  const other = replicas[(turn + 1) % 2] as ReplicaProcess;
  await victim.kill();
  await victim.start(`${point}:${passing}`);
  await other.kill();
  const dead = victim.killedItself(point);
  const result = Promise.resolve(work(dead));
  await Promise.race([dead, result.then(() => dead)]);
  await Promise.all([other.start(), victim.start()]);
  return await result;
}

/**
 * Loads until the replica is dead: the number of passings depends on the size of the batches, so one round may not be
 * enough.
 */
export async function loadUntil<T>(
  { database }: Deployment,
  dead: Promise<void>,
  load: () => Promise<T>,
): Promise<Promise<T>[]> {
  let isDead = false;
  const dying = dead.finally(() => {
    isDead = true;
  });
  const rounds: Promise<T>[] = [];
  const isIdle = async () => isDead || (await database.query('SELECT FROM job_runs LIMIT 1')).rowCount === 0;
  while (!isDead && rounds.length < MAX_ROUNDS) {
    const round = load();
    rounds.push(round);
    await Promise.race([dying, round]);
    await eventually('the replica is dead, or the round is done', isIdle, { timeoutMs: ROUND_MS, everyMs: 50 });
  }
  await dying;
  return rounds;
}
