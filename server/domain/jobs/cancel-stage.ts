/** The progress of a cancel, derived from the event that ended the job. */
import type { JobEvent } from './job-state.ts';

/** Codes as stored in SQL; the same numbers as `CancelStage` in the contract. */
export const cancelStages = {
  REQUESTED: 1,
  NOT_STARTED: 2,
  STOPPED: 3,
  FENCED: 4,
  OVERTAKEN: 5,
} as const;

export type CancelStage = keyof typeof cancelStages;

/** The last stage of a job that ended CANCELLED by this event. */
export function lastStageOf(event: JobEvent): CancelStage {
  switch (event) {
    case 'requestCancel':
      return 'NOT_STARTED';
    case 'lapse':
    case 'closeSession':
    case 'timeOut':
      return 'FENCED';
    default:
      return 'STOPPED';
  }
}
