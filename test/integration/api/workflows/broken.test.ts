/** A workflow that can not continue ends, and its open jobs are cancelled, also by another replica. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemFailure } from '../../../../server/domain/base/payload.ts';
import { decideFinish } from '../../../../server/domain/workflows/life.ts';
import type { Database } from '../../../../server/store/driver/database.ts';
import { openPostgres } from '../../../../server/store/driver/postgres.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { openPool } from '../../../support/databases/postgres.ts';
import { createStore } from '../../../support/store/create-store.ts';
import { World } from '../base/world.ts';
import { Flows, failureOf, plays, type Step, StepRole, stateName } from './flows.ts';

let database: Database;
let pool: ReturnType<typeof openPool>;
let world: World;
let flows: Flows;

beforeAll(async () => {
  world = await World.start();
  database = openPostgres({ url: world.postgresUrl, poolSize: 1 });
  pool = openPool(world.postgresUrl, 1);
  flows = await Flows.start(world.replica.grpcAddress);
});

afterAll(async () => {
  await flows?.stop();
  await database?.close();
  await pool?.end();
  await world?.stop();
});

const query = async (text: string, jobId: string) => (await pool.query(text, [jobId])).rows;
const inboxOf = async (jobId: string) =>
  (await query('SELECT kind FROM muster.job_inbox WHERE subject_id = $1', jobId)).map((row) => row.kind as number);
const nothingIsOpenOf = (jobId: string) =>
  eventually('all of its jobs have ended, and nothing is left to do', async () => {
    const open = await query('SELECT job_id FROM muster.job_runs WHERE parent_job_id = $1', jobId);
    return open.length === 0 && (await inboxOf(jobId)).length === 0;
  });

/** A workflow with running jobs that only a cancel ends. */
async function started(...more: Step[]): Promise<{ readonly jobId: string; readonly tag: string }> {
  const tag = flows.name('held');
  const steps: Step[] = [
    { name: 'each', fanOut: { items: '[1, 2, 3]' }, input: plays(tag, { hold: tag }) },
    { name: 'first', input: plays(`${tag} first`, { hold: `${tag} first` }) },
    { name: 'second', needs: ['first'] },
    ...more,
  ];
  const jobId = await flows.submit(await flows.define(steps));
  await flows.hasStarted(tag, 3);
  await flows.hasStarted(`${tag} first`);
  return { jobId, tag };
}

it('a workflow whose advance throws ends FAILED, and its open jobs are cancelled', async () => {
  const { jobId, tag } = await started({ name: 'tidy', role: StepRole.FINALLY });
  // More steps have ended than the workflow has, so no advance can continue from there.
  await query(
    `INSERT INTO muster.workflow_steps (job_id, step, state, succeeded, failed, upstream_failed, skipped, iteration)
     VALUES ($1, 2, 1, 5, 0, 0, 0, 0)`,
    jobId,
  );
  flows.reopen(`${tag} first`);
  const job = await flows.ended(jobId);
  expect([stateName(job.state), failureOf(job)?.type]).toEqual(['FAILED', 'WorkflowBroken']);
  expect(failureOf(job)?.message).toContain('got more ends than it needs steps');
  await nothingIsOpenOf(jobId);
  const states = (await flows.children(jobId)).map(({ state }) => stateName(state)).sort();
  expect(states).toEqual(['CANCELLED', 'CANCELLED', 'CANCELLED', 'SUCCEEDED']);
});

it('a workflow leaves its open jobs to other replicas if the one that ended it has died', async () => {
  const { jobId } = await started();
  // The commit of the first replica, without its later work.
  const failure = systemFailure('INTERNAL', 'WorkflowBroken', 'unexpected');
  await createStore(database).together(async (store) => {
    await store.inbox.add([{ jobId, step: undefined, kind: 'CANCEL_CHILDREN' }]);
    await store.change({ by: 'jobs', namespace: 'default', jobIds: [jobId] }, (run) =>
      decideFinish(run, { state: 'FAILED', failure }),
    );
  });
  expect(await inboxOf(jobId)).toHaveLength(1);
  await nothingIsOpenOf(jobId);
  const states = (await flows.children(jobId)).map(({ state }) => stateName(state));
  expect(new Set(states)).toEqual(new Set(['CANCELLED']));
});

it('a workflow whose advance the database refuses ends FAILED, without holding up the others', async () => {
  await pool.query(`
    CREATE FUNCTION muster.refuse_step() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'no such value' USING ERRCODE = '22003'; END$$;
    CREATE TRIGGER refuse_step BEFORE INSERT OR UPDATE ON muster.workflow_steps
    FOR EACH ROW WHEN (NEW.reason LIKE '%poison%') EXECUTE FUNCTION muster.refuse_step()`);
  try {
    const definition = await flows.define([{ name: 'one', input: 'workflow.input[workflow.input.key]' }]);
    const keys = Array.from({ length: 40 }, (_, i) => (i % 13 === 5 ? 'poison' : 'good'));
    const jobIds = await Promise.all(keys.map((key) => flows.submit(definition, { key, good: {} })));
    const jobs = await Promise.all(jobIds.map((jobId) => flows.ended(jobId)));
    expect(jobs.map((job) => failureOf(job)?.type ?? stateName(job.state))).toEqual(
      keys.map((key) => (key === 'good' ? 'SUCCEEDED' : 'WorkflowBroken')),
    );
    expect(failureOf(jobs[5] as (typeof jobs)[number])?.message).toContain('no such value');
  } finally {
    await pool.query('DROP FUNCTION muster.refuse_step CASCADE');
  }
});

it('a workflow whose expression fails with a NUL in its message ends FAILED with the other ones of its round', async () => {
  const definition = await flows.define([{ name: 'one', input: 'workflow.input[workflow.input.key]' }]);
  const keys = ['good', 'a\0b', 'good'];
  const jobIds = await Promise.all(keys.map((key) => flows.submit(definition, { key, good: {} })));
  const states = (await Promise.all(jobIds.map((jobId) => flows.ended(jobId)))).map(({ state }) => stateName(state));
  expect(states).toEqual(['SUCCEEDED', 'FAILED', 'SUCCEEDED']);
});
