/** Progress of a running workflow, and its sentences. */
import type { FanOutState } from './fan-out.ts';
import type { Phase } from './phases.ts';

export interface RunningStep {
  readonly name: string;
  /** Its job, or that of its last pass; undefined for a fan-out, which has one per item. */
  readonly jobId: string | undefined;
  /** Ended passes of a loop. */
  readonly passes: number;
  readonly items: FanOutState | undefined;
}

export interface WorkflowProgress {
  readonly phase: Phase;
  /** Number of steps of the phase, or steps to compensate; `ended` and `running` count among those. */
  readonly steps: number;
  readonly ended: number;
  readonly running: number;
  /** The first of the running steps. */
  readonly first: readonly RunningStep[];
  /** Names of the first steps that need one of these. */
  readonly behind: readonly string[];
}

const doings: Readonly<Record<Phase, string>> = {
  WORK: 'does its work',
  COMPENSATION: 'runs its compensations',
  ON_FAILURE: 'handles its failure',
  FINALLY: 'runs its final steps',
};

/** Without full stops, to follow the job's name. Undefined: it has only just been started. */
export function progressTexts(progress: WorkflowProgress | undefined): string[] {
  if (!progress) return ['is a workflow that is about to start its first steps'];
  const { phase, steps, ended, running, first, behind } = progress;
  const counts = `${ended} of ${steps} ${steps === 1 ? 'step has' : 'steps have'} ended, and ${running} ${running === 1 ? 'runs' : 'run'}`;
  const more = running > first.length ? `, and ${running - first.length} more` : '';
  return [
    `is a workflow that ${doings[phase]}: ${counts}`,
    ...(first.length > 0 ? [`It waits for ${first.map(stepText).join(', ')}${more}`] : []),
    ...(behind.length > 0 ? [`Next may be ${behind.join(', ')}`] : []),
  ];
}

function stepText({ name, jobId, passes, items }: RunningStep): string {
  if (items) {
    const { size, started, succeeded, failed, late } = items;
    return `${name} (${succeeded + failed + late} of ${size} items have ended, ${size - started} have not begun)`;
  }
  return passes > 0 ? `${name} (job ${jobId}, pass ${passes + 1})` : `${name} (job ${jobId})`;
}
