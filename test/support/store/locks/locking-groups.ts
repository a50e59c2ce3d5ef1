/** All operations that lock rows. */
import { batchLocks } from './batch-locks.ts';
import { capacityLocks } from './capacity-locks.ts';
import { deadlineLocks } from './deadline-locks.ts';
import { dependencyLocks } from './dependency-locks.ts';
import { dispatchLocks } from './dispatch-locks.ts';
import { jobLocks } from './job-locks.ts';
import { limitLocks } from './limit-locks.ts';
import type { LockingGroup, Operation } from './locked-rows.ts';
import { reportLocks } from './report-locks.ts';
import { requestLocks } from './request-locks.ts';
import { retryLocks } from './retry-locks.ts';
import { rolloutLocks } from './rollout-locks.ts';
import { scheduleLocks } from './schedule-locks.ts';
import { sessionLocks } from './session-locks.ts';
import { settingsLocks } from './settings-locks.ts';
import { signalLocks } from './signal-locks.ts';
import { stepLocks } from './step-locks.ts';
import { submissionLocks } from './submission-locks.ts';
import { triggerLocks } from './trigger-locks.ts';
import { workflowLocks } from './workflow-locks.ts';

/** The operations that need no other rows than the shared ones. */
export const plainOperations: Readonly<Record<string, Operation>> = {
  ...workflowLocks,
  ...dispatchLocks,
  ...retryLocks,
  ...jobLocks,
  ...sessionLocks,
  ...submissionLocks,
};

/** The operations that need rows of their own. */
export const lockingGroups: readonly LockingGroup[] = [
  limitLocks,
  capacityLocks,
  batchLocks,
  dependencyLocks,
  stepLocks,
  signalLocks,
  scheduleLocks,
  triggerLocks,
  rolloutLocks,
  settingsLocks,
  requestLocks,
  reportLocks,
  deadlineLocks,
];
