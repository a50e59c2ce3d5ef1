/** Triggers over the wire: many causes at once, large ones, and what is left of them in the store. */
import { TriggerService } from '@muster-jobs/sdk/gen/muster/v1/trigger_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database, Statement } from '../../../../server/store/driver/database.ts';
import { openPostgres } from '../../../../server/store/driver/postgres.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { runsAll } from '../../../support/run/cases.ts';
import { World } from '../base/world.ts';
import { allOf, type InputJson, inGroups, inputText, onSignal, Triggering } from './triggering.ts';

const { deleteTrigger } = TriggerService.method;
const KIB = 1_024;

describe.each(databaseKinds)('a trigger on %s', (kind) => {
  let world: World;
  let triggering: Triggering;

  beforeAll(async () => {
    world = await World.startOn(kind);
    triggering = new Triggering(world);
  });

  afterAll(() => world?.stop());

  it.runIf(runsAll)('starts exactly one job for each of over 1,000 keys at once', async () => {
    const [a, b] = [triggering.newName('a'), triggering.newName('b')];
    const key = 'cause.key';
    const name = await triggering.on(allOf([onSignal(a, { key }), onSignal(b, { key })]));
    const keys = Array.from({ length: 1_050 }, (_, i) => `key-${i}`);
    const signals = keys.flatMap((one) => [a, b].map((signal) => [signal, one] as const));
    const sent = await inGroups(350, signals, ([signal, one]) => triggering.send(signal, 1, one));
    expect(sent.every(({ triggerCount }) => triggerCount === 1n)).toBe(true);
    await eventually('all have started', async () => (await triggering.get(name)).jobCount === BigInt(keys.length), {
      timeoutMs: 60_000,
      everyMs: 100,
    });
    const jobs = await triggering.jobsOf(name);
    expect(jobs).toHaveLength(keys.length);
    const inputs = await inGroups(100, jobs, async ({ jobId }) => JSON.parse(inputText(await world.getJob(jobId))));
    expect(inputs.map((input: InputJson) => input.key).sort()).toEqual(keys.toSorted());
    for (const { causes } of inputs as InputJson[])
      expect(causes.map(({ condition, count }) => [condition, count]).sort()).toEqual([
        [0, 1],
        [1, 1],
      ]);
    expect(await triggering.progress(name)).toEqual([]);
  });

  it('takes many causes of one key in their order', async () => {
    const signal = triggering.newName('signal');
    const name = await triggering.on(onSignal(signal));
    for (let n = 0; n < 250; n++) await triggering.send(signal, n);
    const inputs = await triggering.inputs(name, 250);
    expect(inputs.map(({ causes }) => causes[0]?.payload)).toEqual(Array.from({ length: 250 }, (_, n) => n));
  });

  it('leaves out the largest payloads if the input would be too large', async () => {
    const signals = ['a', 'b', 'c'].map((word) => triggering.newName(word));
    const name = await triggering.on(allOf(signals.map((signal) => onSignal(signal))));
    for (const [i, signal] of signals.entries()) await triggering.send(signal, ['x'.repeat((290 + 10 * i) * KIB)]);
    const { job, input } = await triggering.onlyRun(name);
    expect(inputText(job).length).toBeLessThan(512 * KIB);
    expect(input.causes.map(({ name: of, payload_omitted }) => [of, payload_omitted])).toEqual([
      [signals[0], undefined],
      [signals[1], true],
      [signals[2], true],
    ]);
    const lengths = input.causes.map(({ payload }) => payload && JSON.stringify(payload).length);
    expect(lengths).toEqual([290 * KIB + 4, null, null]);
  });

  it('judges a payload that the input leaves out', async () => {
    const signal = triggering.newName('signal');
    const name = await triggering.on(onSignal(signal, { filter: 'cause.payload.n == 1', key: 'cause.payload.k' }));
    await triggering.send(signal, { n: 1, k: 'large', text: 'x'.repeat(511 * KIB) });
    const { input } = await triggering.onlyRun(name);
    expect(input).toMatchObject({ key: 'large', causes: [{ payload: null, payload_omitted: true }] });
  });

  it('takes many large signals', async () => {
    const [signal] = [triggering.newName('signal')];
    const name = await triggering.on(onSignal(signal));
    const text = 'x'.repeat(400 * KIB);
    for (let n = 0; n < 30; n++) await triggering.send(signal, { n, text });
    const inputs = await triggering.inputs(name, 30);
    expect(inputs.map(({ causes }) => causes[0]?.payload)).toEqual(Array.from({ length: 30 }, (_, n) => ({ n, text })));
  });
});

describe('a deleted trigger', () => {
  const tables = ['schedules', 'schedule_runs', 'trigger_sources', 'trigger_causes'];
  let database: Database;
  let world: World;
  let triggering: Triggering;

  beforeAll(async () => {
    world = await World.start();
    triggering = new Triggering(world);
    database = openPostgres({ url: world.postgresUrl, poolSize: 1 });
  });

  afterAll(async () => {
    await database?.close();
    await world?.stop();
  });

  async function rows(): Promise<number[]> {
    const counts = tables.map((table) => `(SELECT count(*) FROM ${table})`).join(', ');
    const all = {
      name: '',
      text: `SELECT ARRAY[${counts}]::text AS counts`,
      row: { counts: 'text' },
    } satisfies Statement;
    const [row] = await database.run(all, []);
    return JSON.parse(row?.counts.replace('{', '[').replace('}', ']') ?? '[]');
  }

  it('leaves no rows, whether it holds causes or has started jobs', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((word) => triggering.newName(word)) as [string, string, string];
    const name = await triggering.on(allOf([onSignal(a), onSignal(b)]));
    const other = await triggering.on(onSignal(c));
    for (const signal of [a, a, c]) await triggering.send(signal);
    await triggering.holds(name, 2);
    await triggering.runs(other, 1);
    expect(await rows()).toEqual([2, 1, 3, 1]);
    for (const one of [name, other]) await world.rpc.call(deleteTrigger, { name: one });
    expect(await rows()).toEqual([0, 0, 0, 0]);
  });

  it('leaves no rows of signals that come while it is deleted', async () => {
    for (let round = 0; round < 5; round++) {
      const [a, b] = [triggering.newName('a'), triggering.newName('b')];
      const name = await triggering.on(allOf([onSignal(a), onSignal(b)]));
      const sends = Array.from({ length: 40 }, () => triggering.send(a));
      await Promise.all([...sends, world.rpc.call(deleteTrigger, { name })]);
    }
    await eventually('nothing is left', async () => (await rows()).every((count) => count === 0));
  });
});
