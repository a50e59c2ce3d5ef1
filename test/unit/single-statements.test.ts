/** The check that a method of the store's statements runs one statement. A planted method breaks it. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Statements } from '../../server/engine/ports/store.ts';
import type { Database, Session } from '../../server/store/driver/database.ts';
import { within } from '../../server/store/driver/database.ts';
import { noteMethods, noteStatements, takeNoted } from '../support/store/single-statements.ts';

const answering: Session = { run: async () => [] };
const read = (session: Session) => session.run({ name: 'read_one', text: '' }, []);
const write = (session: Session) => session.run({ name: 'write_one', text: '' }, []);

/** Methods of planted statements. */
interface Planted {
  readonly reads: () => Promise<unknown>;
  readonly readsFirst: () => Promise<unknown>;
  readonly sendsBoth: () => Promise<unknown>;
  readonly opens: () => Promise<unknown>;
  readonly keeps: () => Promise<unknown>;
  readonly queues: { readonly writesLater: () => Promise<unknown> };
  readonly clearExpired: () => Promise<unknown>;
  transaction<T>(work: (statements: Planted) => Promise<T>): Promise<T>;
}

function plantedOn(database: Database): Planted {
  return {
    reads: () => read(database),
    readsFirst: async () => {
      await read(database);
      return write(database);
    },
    sendsBoth: () => Promise.all([read(database), write(database)]),
    opens: () => database.transaction(async (session) => [await read(session), await write(session)]),
    keeps: async () => void write(database),
    queues: { writesLater: () => read(database).then(() => write(database)) },
    clearExpired: async () => [await read(database), await write(database)],
    transaction: (work) => database.transaction((session) => work(plantedOn(within(session)))),
  };
}

const database = noteStatements({ ...within(answering), script: async () => {}, close: async () => {} });
const store = noteMethods(plantedOn(database) as unknown as Statements) as unknown as Planted;

beforeEach(() => void takeNoted());

describe('A method of the statements', () => {
  it.each([
    ['readsFirst', () => store.readsFirst()],
    ['sendsBoth', () => store.sendsBoth()],
    ['opens', () => store.opens()],
    ['queues.writesLater', () => store.queues.writesLater()],
    ['readsFirst', () => store.transaction((inner) => inner.readsFirst())],
  ])('that runs two statements is noted, with both: %s', async (name, call) => {
    await call();
    expect(takeNoted()).toEqual([`${name} runs read_one, write_one`]);
    expect(takeNoted()).toEqual([]);
  });

  it.each([
    ['called twice', async () => [await store.reads(), await store.reads()]],
    ['called in the chain of another', () => store.reads().then(() => store.reads())],
    ['called in a transaction with another', () => store.transaction(async (tx) => [await tx.reads(), tx.keeps()])],
    ['that deletes in pages', () => store.clearExpired()],
  ])('that runs one statement a call, or may run several, is not noted: %s', async (_title, calls) => {
    await calls();
    expect(takeNoted()).toEqual([]);
  });
});
