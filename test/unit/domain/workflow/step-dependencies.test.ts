/** The dependencies outside the workflow that expressions of a step name. */
import { describe, expect, it } from 'vitest';
import { dependencyOf } from '../../../../server/domain/workflows/step-dependencies.ts';
import type { DependencyExpression } from '../../../../server/domain/workflows/workflow.ts';

const jobId = '0190b5c2-7d1e-7abc-8def-0123456789ab';
const job: DependencyExpression = { on: { kind: 'JOB', jobId: 'x' }, condition: 'FAILED' };
const other: DependencyExpression = { on: { kind: 'STEP', workflowJobId: 'x', step: 'charge' }, condition: 'ENDED' };
const asset: DependencyExpression = { on: { kind: 'ASSET', name: 'x' }, condition: 'SUCCEEDED' };

describe('the external dependency of a step', () => {
  it('is the job or workflow that the value names', () => {
    expect(dependencyOf(job, jobId.toUpperCase())).toEqual({ on: { kind: 'JOB', jobId }, condition: 'FAILED' });
    expect(dependencyOf(other, jobId)).toEqual({
      on: { kind: 'STEP', workflowJobId: jobId, step: 'charge' },
      condition: 'ENDED',
    });
    expect(dependencyOf(asset, 'sales.daily')).toEqual({
      on: { kind: 'ASSET', name: 'sales.daily' },
      condition: 'SUCCEEDED',
    });
  });

  it.each<[DependencyExpression, unknown, string]>([
    [job, 7, 'yields no string'],
    [job, null, 'yields no string'],
    [job, '', 'yields no job UUID'],
    [other, 'sales', 'yields no job UUID'],
    [asset, ['sales'], 'yields no string'],
    [asset, 'Sales!', 'yields no valid asset name'],
    [asset, 'a'.repeat(64), 'yields no valid asset name'],
  ])('%o does not exist for the value %o', (dependency, value, problem) => {
    expect(dependencyOf(dependency, value)).toBe(problem);
  });
});
