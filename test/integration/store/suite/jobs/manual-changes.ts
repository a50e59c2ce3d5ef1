/** The audit record of a manual change is stored together with its new job: both, once, or neither. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SubmitCall } from '../../../../../server/engine/ports/submissions.ts';
import type { StoreContext } from '../../../../support/store/store-context.ts';
import { makeCall, makeJob, makeLane } from '../../../../support/store/store-fixtures.ts';
import { makeStep } from '../../../../support/store/store-workflows.ts';

export function manualSuite(context: StoreContext): void {
  const newCall = async (changes: Partial<SubmitCall> = {}): Promise<SubmitCall> => {
    const job = makeJob(await makeLane(context));
    const { jobId } = job;
    const record = (subject: string) =>
      ({
        auditId: randomUUID(),
        action: 'SKIP_STEP',
        namespace: 'default',
        jobId,
        reason: 'why "not"',
        subject,
      }) as const;
    const steps = [makeStep(jobId, 3, { skipReason: 'so' }), makeStep(jobId, 1, { skipReason: 'so' })];
    return makeCall([job], { manual: { records: [record('a'), record('b')], steps }, ...changes });
  };
  const idOf = ({ jobs }: SubmitCall) => jobs[0]?.jobId as string;
  const subjects = async (call: SubmitCall) => {
    const query = { namespace: 'default', jobId: idOf(call), beforeAuditId: undefined, limit: 10 };
    return (await context.store.listAudit(query)).map(({ subject, reason }) => `${subject}: ${reason}`).sort();
  };
  const skips = async (call: SubmitCall) =>
    (await context.store.workflows.readAskedSkips(idOf(call))).map(({ step }) => step);

  describe('the audit record of a manual change with a new job', () => {
    it('is stored with the job', async () => {
      const call = await newCall();
      await context.store.submit([call]);
      expect(await subjects(call)).toEqual(['a: why "not"', 'b: why "not"']);
      expect(await skips(call)).toEqual([1, 3]);
    });

    it('is stored once, however often the call is repeated', async () => {
      const request = { requestId: randomUUID(), bodyHash: new Uint8Array([1]) };
      const [call, repeat] = [await newCall(request), await newCall(request)];
      expect(await context.store.submit([call, repeat])).toMatchObject([
        { jobs: [{ jobId: idOf(call) }] },
        { jobs: [{ jobId: idOf(call), existing: true }] },
      ]);
      expect([await subjects(repeat), await skips(repeat)]).toEqual([[], []]);
      expect(await subjects(call)).toHaveLength(2);
    });

    it('is not stored if the job is refused', async () => {
      const call = await newCall({ batchJobId: randomUUID() });
      expect((await context.store.submit([call]))[0]?.kind).toBe('batchRefused');
      expect([await subjects(call), await skips(call)]).toEqual([[], []]);
    });
  });
}
