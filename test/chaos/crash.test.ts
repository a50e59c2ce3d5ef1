/**
 * The crash test: real replicas, workers, PostgreSQL and NATS as processes under load, killed at named points and at
 * random moments, stopped, cut off and stalled. All changes are read from a journal in the database, and must keep
 * every invariant; a run without faults fails.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coreOf } from '../support/run/cases.ts';
import { check } from './checker/check.ts';
import { Dice, seedOfRun } from './harness/dice.ts';
import { loadPoints, Nemesis } from './harness/nemesis.ts';
import { Run } from './harness/run.ts';

/**
 * The timeout of the whole test on a machine of any speed: only against a hang, as each wait inside has its own bound.
 */
const MAX_MS = 600_000;
/** Number of kill points that a run of the core draws; it has every other fault. */
const CORE_POINTS = 1;

const dice = new Dice(seedOfRun('crash test'));
let run: Run;
let raging = true;

beforeAll(async () => {
  run = await Run.start({
    dice,
    replicas: 2,
    beatMs: 600,
    leaseMs: 3_000,
    fleet: [
      { name: 'ts-one', language: 'typescript', slots: 12 },
      { name: 'ts-two', language: 'typescript', slots: 12 },
      { name: 'python', language: 'python', slots: 8 },
    ],
    load: { callers: 4, atLeast: 3_000, atMost: 20_000, backlog: 300, enough: () => !raging },
  });
});

afterAll(async () => {
  expect(await run?.stop()).toEqual([]);
});

describe('two replicas, three workers and a careless one', () => {
  it('keep every invariant while they are killed at each named point', { timeout: MAX_MS }, async () => {
    const points = coreOf(dice.shuffled(loadPoints), CORE_POINTS);
    const nemesis = new Nemesis(run, dice.fork(), points);
    try {
      await nemesis.rage();
    } finally {
      raging = false;
    }
    await run.heal();
    await run.proveEachReplica(5);
    expect(await run.ailments()).toEqual([]);
    await run.disband();
    const { findings } = check(await run.evidence());
    findings.add(nemesis.tally);
    findings.add(run.careless.tally);
    console.log(findings.table());
    expect(findings.violations).toEqual([]);
    const mustHappen = [
      ...points.map((point) => `replica killed at ${point}`),
      'database crashed',
      'job assigned as it was stored',
      'worker stopped past its lease',
      'worker cut off past its lease',
      'session closed by LAPSE',
      'attempt closed: LAPSED',
      'attempt closed: RELEASED',
      'lost assignment came again in a reply',
      'report of result: DUPLICATE',
      'report of another result: LEASE_LOST',
      'submit repeated under its request id until it was answered',
      'worker event: lost',
      'worker event: recovered',
      'attempt closed: ABORTED',
      'ended CANCELLED',
      'ended FAILED',
      'attempt closed: TIMED_OUT',
      'job paused',
    ];
    expect(findings.missing(mustHappen)).toEqual([]);
  });
});
