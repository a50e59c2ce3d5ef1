/** `muster verify`: a database that the store wrote is without faults, and each rule finds what breaks it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { rules } from '../../../../../server/store/upkeep/verify-rules.ts';
import { faultsIn } from '../../../../support/store/faults.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { completionOf, holdMany, makeLane, only, submitMany } from '../../../../support/store/store-fixtures.ts';

interface Deployment {
  readonly laneId: number;
  readonly open: string;
  readonly held: string;
  readonly ended: string;
}

/** Statements that break a rule, and the first fault that it then finds. */
const breaks: Readonly<Record<string, (deployment: Deployment) => readonly [sql: string, fault: string]>> = {
  jobs: ({ open }) => [
    `DELETE FROM job_runs WHERE job_id = '${open}'`,
    `job ${open} is neither open nor ended: it is lost`,
  ],
  records: ({ ended }) => [`DELETE FROM jobs WHERE job_id = '${ended}'`, `job ${ended} has no record`],
  counts: ({ laneId }) => [
    `INSERT INTO lane_count_changes VALUES (${laneId}, 3, 2)`,
    `lane ${laneId}, state 3 has 1 jobs, and its count is 3`,
  ],
  sessions: ({ held }) => [
    `UPDATE sessions SET state = 3, close_cause = 1, close_time = now()`,
    `job ${held} is held by session`,
  ],
  dependencies: ({ open }) => [
    `UPDATE job_runs SET unmet_dependencies = 1 WHERE job_id = '${open}'`,
    `job ${open} has 0 unmet dependencies, and counts 1`,
  ],
  settlement: ({ open, ended }) => [
    `INSERT INTO job_dependencies (job_id, number, target_id, kind, condition) VALUES ('${open}', 0, '${ended}', 1, 1)`,
    `job ${open} waits for job ${ended}, which has happened`,
  ],
  workflows: ({ open }) => [
    `INSERT INTO workflow_runs VALUES ('${open}', 1, 1, 2, 0, 0, false, false, NULL)`,
    `job ${open} has 0 running steps, and counts 2`,
  ],
  batches: ({ open }) => [
    `INSERT INTO batches (job_id, members, description) VALUES ('${open}', 3, '')`,
    `batch ${open} has 0 members, counts 3, and 0 ends`,
  ],
  queues: ({ laneId }) => [
    `UPDATE lanes SET gates = 1 WHERE lane_id = ${laneId}`,
    `lane ${laneId} of queue default/default is closed, and the queue is not paused`,
  ],
  limits: ({ laneId, open }) => [
    `UPDATE lanes SET at_limit = true WHERE lane_id = ${laneId}`,
    `job ${open} is in lane ${laneId} of deferred jobs, and is not deferred`,
  ],
  signals: ({ ended }) => [
    `INSERT INTO signal_waits (job_id, signal_key_id, name, key) VALUES ('${ended}', '${ended}', 'paid', '')`,
    `job ${ended} waits for signal paid, and is not open`,
  ],
};

export function verifySuite(context: StoreContext): void {
  describe('a verification of the database', () => {
    let deployment: Deployment;

    beforeEach(async () => {
      await emptyTables(context);
      const laneId = await makeLane(context, { queue: 'default' });
      const other = await makeLane(context, { queue: 'default' });
      const open = only(await submitMany(context, laneId, 1));
      const [held, ended] = await holdMany(context, 2);
      await context.store.complete([completionOf(ended as NonNullable<typeof ended>)]);
      deployment = { laneId, open, held: held?.jobId ?? '', ended: ended?.jobId ?? '' };
      expect(other).not.toBe(laneId);
    });

    it('finds nothing where nothing is wrong', async () => {
      expect(await faultsIn(context.database)).toEqual({});
    });

    it.each(rules.map(({ name }) => name))('finds a fault against the rule of %s', async (name) => {
      const [change, fault] = (breaks[name] as (typeof breaks)[string])(deployment);
      await sql(context, change);
      const found = await faultsIn(context.database, name);
      expect(
        found[name]?.some((one) => one.startsWith(fault)),
        JSON.stringify(found),
      ).toBe(true);
    });
  });
}
