/** A fan-out whose items all get a large input: no transaction stores many of them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPool } from '../../../support/databases/postgres.ts';
import { World } from '../base/world.ts';
import { Flows, resultOf } from './flows.ts';

const ITEMS = 60;
const INPUT_BYTES = 400_000;

let pool: ReturnType<typeof openPool>;
let world: World;
let flows: Flows;

beforeAll(async () => {
  world = await World.start();
  pool = openPool(world.postgresUrl, 1);
  flows = await Flows.start(world.replica.grpcAddress);
});

afterAll(async () => {
  await flows?.stop();
  await pool?.end();
  await world?.stop();
});

it('starts its items in transactions of some MiB each', async () => {
  const name = await flows.define([
    { name: 'each', fanOut: { items: 'workflow.input.items' }, input: '{"pad": workflow.input.pad, "give": index}' },
    { name: 'count', needs: ['each'], input: '{"give": size(steps.each.output)}' },
  ]);
  const jobId = await flows.submit(name, { items: Array(ITEMS).fill(0), pad: 'x'.repeat(INPUT_BYTES) });
  expect(resultOf(await flows.ended(jobId))).toEqual({ count: ITEMS });
  const { rows } = await pool.query(
    'SELECT sum(length(input))::int AS bytes FROM muster.jobs WHERE parent_job_id = $1 GROUP BY xmin::text',
    [jobId],
  );
  const sizes = rows.map(({ bytes }) => bytes as number);
  expect(sizes.reduce((sum, bytes) => sum + bytes)).toBeGreaterThan(ITEMS * INPUT_BYTES);
  expect(Math.max(...sizes)).toBeLessThan((8 << 20) + 2 * INPUT_BYTES);
});
