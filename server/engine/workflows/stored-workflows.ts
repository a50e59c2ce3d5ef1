/** Locks and writes stored workflows, within a transaction. */
import type { WorkflowRun } from '../../domain/workflows/phases.ts';
import type { Store } from '../ports/store.ts';
import type { LockedWorkflow, StepSkip, StoredWorkflow, WrittenWorkflows } from '../ports/workflows.ts';

// The reads come in later statements than the lock: its own may have begun before the last holder committed. Entries of
// workflows that have ended meanwhile have no reader.
export async function lockWorkflows(tx: Store, jobIds: readonly string[]): Promise<LockedWorkflow[]> {
  const ids = [...new Set(jobIds)].sort();
  const [locked, workflows, inbox] = await Promise.all([
    tx.workflows.lockRuns(ids),
    tx.workflows.readOpen(ids),
    tx.inbox.take(ids),
  ]);
  const byId = new Map(workflows.map((workflow) => [workflow.jobId, workflow]));
  return locked.map((run) => ({
    ...(byId.get(run.jobId) as StoredWorkflow),
    ...run,
    inbox: inbox.get(run.jobId) ?? [],
  }));
}

/** Locks an open, started workflow. Undefined: it is not. */
export async function lockWorkflowRun(tx: Store, jobId: string): Promise<WorkflowRun | undefined> {
  const locked = await tx.workflows.lockRuns([jobId]);
  return locked.length > 0 ? tx.workflows.readRun(jobId) : undefined;
}

/** Stores the skip of a step of a locked workflow, with an audit record. */
export async function storeSkip(tx: Store, skip: StepSkip): Promise<void> {
  const { jobId, step, name, reason, namespace, auditId } = skip;
  await tx.inbox.add([{ jobId, step, kind: 'SKIP_STEP', reason }]);
  await tx.insertAudits([{ auditId, action: 'SKIP_STEP', namespace, jobId, reason, subject: name }]);
}

/** The caller has locked the workflows. */
export async function writeWorkflows(tx: Store, { runs, steps, compensations }: WrittenWorkflows): Promise<void> {
  await Promise.all([
    tx.workflows.writeRuns(runs),
    tx.workflows.writeSteps(steps),
    tx.workflows.writeCompensations(compensations),
  ]);
}
