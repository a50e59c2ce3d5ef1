/**
 * Every pair of locking statements, over the same rows in opposite orders: they may wait, but never for each other. The
 * statements come from a trace of the store: one that locks rows must be run by an operation.
 */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../../server/engine/ports/store.ts';
import {
  type Mutation,
  plantBugs,
  recordStatements,
  recordTransactions,
} from '../../support/databases/database-taps.ts';
import { createStore } from '../../support/store/create-store.ts';
import { recordEvery } from '../../support/store/every-statement.ts';
import { makeLockedRows, newRound, type Operation, type Round } from '../../support/store/locks/locked-rows.ts';
import { lockingGroups, plainOperations } from '../../support/store/locks/locking-groups.ts';
import { emptyTables, useStore } from '../../support/store/store-context.ts';

const context = useStore('PostgreSQL 18');
const ROUNDS = Number(process.env.MUSTER_LOCK_ROUNDS ?? 8);
/** For pairs of operations on the same rows of their own. */
const GROUP_ROUNDS = Math.ceil(ROUNDS / 2);
/** For the thousands of other pairs. */
const FEWER_ROUNDS = Math.ceil(ROUNDS / 8);
const DEADLOCK = '40P01';

const names = [...Object.keys(plainOperations), ...lockingGroups.flatMap((group) => group.names)];
const operations = new Map<string, Operation>(Object.entries(plainOperations));
/** SQL that restores the rows that only some operations need, by operation. */
const resets = new Map<string, string>();
let reset = '';
let makeRound: () => Round;

beforeAll(async () => {
  const { reset: resetShared, ...rows } = await makeLockedRows(context);
  reset = resetShared;
  makeRound = () => newRound(rows);
  for (const group of lockingGroups) {
    const prepared = await group.prepare(context, rows);
    for (const [name, operation] of prepared.operations) {
      operations.set(name, operation);
      resets.set(name, prepared.reset);
    }
  }
});

// Rows of past rounds would make each round slower, since nothing vacuums this database.
beforeEach(() =>
  emptyTables(context, [
    'job_runs',
    'job_outcomes',
    'job_attempts',
    'job_inbox',
    'job_dependencies',
    'outbox',
    'lane_count_changes',
  ]),
);

function restoreRows(names: readonly string[]): Promise<void> {
  const others = new Set(names.flatMap((name) => resets.get(name) ?? []));
  return context.database.script([reset, ...others].join(''));
}

function roundsOf(one: string, two: string): number {
  if (!resets.has(one) && !resets.has(two)) return ROUNDS;
  return resets.get(one) === resets.get(two) ? GROUP_ROUNDS : FEWER_ROUNDS;
}

/** Runs two of each at once, each in both orders. Resolves with the number of deadlocks; throws any other failure. */
async function collide(store: Store, names: readonly string[]): Promise<number> {
  await restoreRows(names);
  const round = makeRound();
  const runs = names.flatMap((name) =>
    [false, true].map((isReversed) => operations.get(name)?.(store, isReversed, round)),
  );
  const results = await Promise.allSettled(runs);
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  const other = failures.find((error) => error.code !== DEADLOCK);
  if (other) throw other;
  return failures.length;
}

describe('the lock order', () => {
  const pairs = names.flatMap((one, i) => names.slice(i).map((two) => [one, two] as const));

  it.each(names)('of %s avoids deadlocks with every other statement and with itself', async (name) => {
    const deadlocks: Record<string, number> = {};
    for (const [one, two] of pairs.filter(([one]) => one === name)) {
      for (let round = 0; round < roundsOf(one, two); round++) {
        const count = await collide(context.store, [one, two]);
        if (count > 0) deadlocks[two] = (deadlocks[two] ?? 0) + count;
      }
    }
    expect(deadlocks).toEqual({});
  });

  // Proves that the rounds above would detect a wrong order.
  const unordered: [string, Mutation][] = [
    ['change by attempts', { of: 'lock_attempts', from: 'ORDER BY i.job_id', to: '' }],
    ['save progress', { of: 'save_progress', from: 'ORDER BY i.job_id', to: '' }],
    ['submit with keys', { of: 'insert_idempotency_keys', from: 'ORDER BY namespace, idempotency_key', to: '' }],
    ['submit with rules', { of: 'insert_submission_keys', from: 'ORDER BY key_hash', to: '' }],
    ['release dependents', { of: 'publish_assets', from: 'ORDER BY asset_id', to: '' }],
    [
      'suspend attempts for children',
      {
        of: 'lock_children',
        from: 'ORDER BY r.job_id',
        to: 'ORDER BY array_position($1::uuid[], r.job_id)',
      },
    ],
    ['requeue deferred jobs', { of: 'reopen_deferred_jobs', from: 'ORDER BY p.job_id', to: '' }],
    [
      'submit with limits of keys',
      { of: 'lock_definition_limits', from: 'ORDER BY definition', to: 'ORDER BY array_position($2, definition)' },
    ],
    [
      'settle runs of schedules',
      {
        of: 'settle_schedule_runs',
        from: 'ORDER BY schedule_id',
        to: 'ORDER BY array_position($1::uuid[], schedule_id)',
      },
    ],
  ];

  it.each(unordered)('is needed: %s would deadlock if it locked in the order of its input', async (name, mutation) => {
    const store = createStore(plantBugs(context.database, [mutation]));
    let deadlocks = 0;
    for (let round = 0; round < 1_000 && deadlocks === 0; round++) deadlocks = await collide(store, [name, name]);
    expect(deadlocks).toBeGreaterThan(0);
  });
});

describe('the trace of the store', () => {
  const traced = useStore('PostgreSQL 18');
  const locks =
    /\bFOR (NO KEY )?UPDATE\b|\bFOR (KEY )?SHARE\b|\bUPDATE\s|\bDELETE\s+FROM\b|\bON CONFLICT\b|_advisory_xact_lock/;
  /**
   * Retention. No operation runs it, since it waits at most 100 ms for a lock, and then gives way: that is before a
   * server looks for a deadlock, which is after a second.
   */
  const isOfRetention = (name: string) => /^(begin_clearing|expire_.+|clear_.+)$/.test(name);

  /** Names of the statements that operations run, in one order and then in the other one. */
  async function readCovered(): Promise<Set<string>> {
    const { database, statements } = recordStatements(context.database);
    const store = createStore(database);
    for (const name of names) {
      await restoreRows([name]);
      const round = makeRound();
      for (const isReversed of [false, true]) await operations.get(name)?.(store, isReversed, round);
    }
    return new Set(statements.keys());
  }

  it('has no statement that locks rows and that no operation runs', async () => {
    const statements = await recordEvery(traced);
    const covered = await readCovered();
    const missing = [...statements.values()].filter(({ name, text }) => locks.test(text) && !covered.has(name));
    expect(missing.filter(({ name }) => !isOfRetention(name)).map(({ name }) => name)).toEqual([]);
    expect([...covered].filter(isOfRetention)).toEqual([]);
  });

  it('has statements of retention only in transactions that wait at most 100 ms for a lock', async () => {
    const { database, transactions } = recordTransactions(traced.database);
    await createStore(database).clearExpired();
    const clearing = transactions.filter((statements) => statements.some(isOfRetention));
    expect(clearing.length).toBeGreaterThan(1);
    expect(new Set(clearing.map(([first]) => first))).toEqual(new Set(['begin_clearing']));
    const begin = (await recordEvery(traced)).get('begin_clearing');
    expect(begin?.text).toContain("set_config('lock_timeout', '100ms', true)");
  });
});
