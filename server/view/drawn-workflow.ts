/** A workflow with its steps, for drawing. */
import type { Job } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import type { Workflow, WorkflowStepRun } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';

export interface DrawnWorkflow {
  readonly workflow: Workflow;
  readonly job: Job;
  /** The first steps, in the order of the definition. */
  readonly steps: readonly WorkflowStepRun[];
}
