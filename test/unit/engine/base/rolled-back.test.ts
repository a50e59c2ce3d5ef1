/** A change that was rolled back and then overtaken by another one was not made, and its caller gets an error. */
import { expect, it } from 'vitest';
import type { JobDefinition } from '../../../../server/domain/definitions/definition.ts';
import type { OpenRun } from '../../../../server/domain/jobs/run.ts';
import type { Definitions } from '../../../../server/engine/definitions/definitions.ts';
import type { Changes } from '../../../../server/engine/jobs/change/changes.ts';
import { Pauses } from '../../../../server/engine/jobs/change/pauses.ts';
import type { JobView } from '../../../../server/engine/ports/jobs.ts';
import type { Schemas } from '../../../../server/engine/ports/ports.ts';
import { Approvals } from '../../../../server/engine/signals/approvals.ts';
import { runOf } from '../../domain/support/failing-job.ts';

const jobId = '0198c0de-0000-7000-8000-000000000001';

/** Decides on the job as it was, and finds it ended when it tries again. */
function overtaken(run: OpenRun, state: JobView['state']) {
  const definition = { wait: { kind: 'APPROVAL' } } as unknown as JobDefinition;
  const applyOnce: Changes['applyOnce'] = async (_selection, _request, decide) => {
    decide(run, 1, definition);
    return { repeated: false, changed: false };
  };
  return { changes: { applyOnce } as Changes, store: { readJob: async () => ({ state }) as JobView } };
}

it('an approval that was overtaken is refused', async () => {
  const parts = overtaken(runOf({ state: 'WAITING' }), 'SUCCEEDED');
  const approvals = new Approvals({ ...parts, definitions: {} as Definitions, schemas: {} as Schemas });
  const refused = { reason: 'JOB_NOT_AWAITING_APPROVAL' };
  await expect(
    approvals.approve('default', jobId, { comment: 'yes', payload: undefined }, undefined),
  ).rejects.toMatchObject(refused);
});

it('an update that was overtaken is refused', async () => {
  const pauses = new Pauses({
    ...overtaken(runOf({ state: 'READY' }), 'SUCCEEDED'),
    bus: { suspend: () => {} },
    random: { next: () => 0, bytes16: () => new Uint8Array(16) },
  });
  await expect(pauses.update('default', jobId, { priority: 5 }, undefined)).rejects.toMatchObject({
    reason: 'JOB_ENDED',
  });
  expect(await pauses.resume('default', jobId, undefined)).toMatchObject({ state: 'SUCCEEDED' });
});
