/** An explanation combines two readings of a job. If they are of different moments, it reads again. */
import { describe, expect, it } from 'vitest';
import { Explanations, type ExplanationsParts } from '../../../../server/engine/explain/explanations.ts';
import type { ExplainedRun } from '../../../../server/engine/ports/explanations.ts';
import type { JobView } from '../../../../server/engine/ports/jobs.ts';

/** Views and runs in the order in which they are read. The last of each repeats. */
function explanationsOf(views: readonly string[], runs: readonly (string | undefined)[]) {
  const [left, leftRuns] = [[...views], [...runs]];
  const next = <T>(list: T[]) => (list.length > 1 ? (list.shift() as T) : (list[0] as T));
  const view = (state: string) =>
    ({ jobId: 'j', state, attempts: [], attempt: 1, sessionId: 's' }) as unknown as JobView;
  const run = (state: string) => ({ state, assignTimeUs: 7 }) as unknown as ExplainedRun;
  const parts = {
    getJob: async () => view(next(left)),
    store: {
      readRun: async () => {
        const state = next(leftRuns);
        return state === undefined ? undefined : run(state);
      },
    },
  } as unknown as ExplanationsParts;
  return new Explanations(parts).explain('default', 'j');
}

describe('an explanation', () => {
  it('uses the state that both readings have', async () => {
    expect(await explanationsOf(['RUNNING'], ['RUNNING'])).toMatchObject({ view: { state: 'RUNNING' } });
  });

  it('reads again when the job has changed between the readings, even to its end', async () => {
    expect(await explanationsOf(['ASSIGNED', 'RUNNING'], ['RUNNING'])).toMatchObject({ view: { state: 'RUNNING' } });
    const ended = await explanationsOf(['RUNNING', 'SUCCEEDED'], [undefined]);
    expect(ended).toMatchObject({ view: { state: 'SUCCEEDED' }, running: undefined, constraints: [] });
  });

  it('gives up on a job that keeps changing, and says so', async () => {
    await expect(explanationsOf(['ASSIGNED'], ['RUNNING'])).rejects.toMatchObject({ reason: 'CONFLICT' });
  });
});
