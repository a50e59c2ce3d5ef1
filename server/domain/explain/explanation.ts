/** The explanation of a job, and its sentences. */

import type { Failure } from '../base/payload.ts';
import { isTerminal, type JobState } from '../jobs/job-state.ts';
import { estimatedEndUs, mayRunToItsEnd, type Progress } from '../jobs/progress.ts';
import { progressTexts, type WorkflowProgress } from '../workflows/progress.ts';
import type { Constraint } from './constraint.ts';
import { momentText } from './pause-texts.ts';
import { estimateStart, type RecentStarts } from './start-estimate.ts';
import type { WaitReason } from './wait-reasons.ts';

/** The position of a ready job in its lane: 1 is next. */
export interface LinePosition {
  readonly place: number;
  /** The position is a lower bound: more jobs, or lanes, are ahead than are scanned. */
  readonly isLeast: boolean;
}

export interface StartEstimate {
  readonly earliestUs: number | undefined;
  readonly latestUs: number | undefined;
  readonly recent: RecentStarts | undefined;
  /** The basis of the times, or why there are none: a sentence without its full stop. */
  readonly basis: string;
}

/** Reasons that the rate of starts says nothing about, and what the start depends on instead. */
const beyondRate: Partial<Record<WaitReason, string>> = {
  JOB_PAUSED: 'the operator who resumes it',
  DEPENDENCY: 'what it depends on',
  QUEUE_PAUSED: 'the operator who resumes its queue',
  CIRCUIT_BREAKER: 'the dependency behind its circuit breaker',
  KEY_LIMIT: 'the other jobs of its key',
  NO_WORKER: 'a worker that takes it',
  SUSPECT: 'workers that have no other such job',
};

/** For a waiting job. */
export function startEstimateOf(
  constraints: readonly Constraint[],
  place: LinePosition | undefined,
  recent: RecentStarts | undefined,
  nowUs: number,
): StartEstimate {
  const [first, ...others] = constraints;
  if (first?.mayOpenSooner && first.openTimeUs !== undefined && others.length === 0)
    return openBy(first.openTimeUs, recent, nowUs);
  const openTimes = constraints.flatMap(({ openTimeUs, mayOpenSooner }) => (mayOpenSooner ? [] : (openTimeUs ?? [])));
  const openUs = openTimes.length > 0 ? Math.max(nowUs, ...openTimes) : undefined;
  const depends = constraints.map(({ reason }) => beyondRate[reason]).find((what) => what !== undefined);
  if (depends) return openOnly(openUs, `that depends on ${depends}`, recent);
  if (!place || !recent) return openOnly(openUs, 'that depends on the jobs that wait by then', recent);
  const seconds = Math.round(recent.windowUs / 1_000_000);
  const range = estimateStart(place.place, place.isLeast, recent, nowUs);
  if (!range)
    return openOnly(openUs, `none of the jobs that count for its place was started in the last ${seconds} s`, recent);
  const earliestUs = Math.max(range.earliestUs, openUs ?? 0);
  const latestUs = range.latestUs && Math.max(range.latestUs, openUs ?? 0);
  const likely =
    latestUs === undefined
      ? `it is not likely to start before ${momentText(earliestUs)}`
      : `it is likely to start between ${momentText(earliestUs)} and ${momentText(latestUs)}`;
  const basis = `${likely}: ${recent.starts} of the jobs that count for its place were started in the last ${seconds} s`;
  return { earliestUs, latestUs, recent, basis };
}

function openBy(openUs: number, recent: RecentStarts | undefined, nowUs: number): StartEstimate {
  const basis = `it is likely to start by about ${momentText(openUs)}`;
  return { earliestUs: nowUs, latestUs: Math.max(nowUs, openUs), recent, basis };
}

function openOnly(openUs: number | undefined, why: string, recent: RecentStarts | undefined): StartEstimate {
  const basis =
    openUs === undefined
      ? `when it starts is not known: ${why}`
      : `it starts at ${momentText(openUs)} at the earliest; how long after that is not known: ${why}`;
  return { earliestUs: openUs, latestUs: undefined, recent, basis };
}

export interface RunningAttempt {
  readonly attempt: number;
  readonly sessionId: string;
  readonly workerName: string;
  readonly assignTimeUs: number;
  readonly beatTimeUs: number | undefined;
  readonly progress: Progress | undefined;
}

export interface ExplainedJob {
  readonly jobId: string;
  readonly definition: string;
  readonly definitionVersion: number;
  readonly queue: string;
  readonly state: JobState;
  readonly reason: string;
  /** Its handler was asked to stop until then. */
  readonly suspendTimeUs: number | undefined;
  /** By when it should have ended, and when it was found that it had not. */
  readonly softDeadlineUs: number | undefined;
  readonly softDeadlineMissUs?: number | undefined;
  readonly sinceUs: number | undefined;
  readonly failure: Failure | undefined;
  readonly attempt: number;
  /** The session of its last attempt; undefined: the job ended, or waits, between attempts. */
  readonly sessionId: string | undefined;
  readonly workerName: string;
}

export interface Facts {
  readonly job: ExplainedJob;
  readonly constraints: readonly Constraint[];
  readonly place: LinePosition | undefined;
  readonly estimate: StartEstimate | undefined;
  readonly running: RunningAttempt | undefined;
  /** Undefined: not a workflow. `progress`: set for one that runs. */
  readonly workflow: { readonly isStarted: boolean; readonly progress: WorkflowProgress | undefined } | undefined;
  /** For a job that waits for something external: what that is. */
  readonly awaited?: string | undefined;
}

export function summaryOf(facts: Facts): string {
  return [stateText(facts), ...deadlineTexts(facts.job)].join(' ');
}

function deadlineTexts({ state, softDeadlineUs, softDeadlineMissUs }: ExplainedJob): string[] {
  if (softDeadlineUs === undefined) return [];
  const time = momentText(softDeadlineUs);
  if (softDeadlineMissUs !== undefined) return [`It missed its soft deadline of ${time}.`];
  return isTerminal(state) ? [] : [`Its soft deadline is ${time}.`];
}

function stateText(facts: Facts): string {
  const { job, running, workflow } = facts;
  const name = `Job ${job.jobId} of definition ${job.definition} version ${job.definitionVersion}`;
  if (isTerminal(job.state)) return endedText(name, job, workflow !== undefined);
  if (facts.awaited !== undefined) return sentence(`${name} ${facts.awaited}`);
  if (workflow?.isStarted) return workflowText(name, job, workflow.progress);
  return running ? runningText(name, job, running) : waitingText(name, facts);
}

function endedText(
  name: string,
  { state, sinceUs, failure, attempt, sessionId, workerName }: ExplainedJob,
  isWorkflow: boolean,
): string {
  const tried = sessionId === undefined ? `after attempt ${attempt}` : `in attempt ${attempt} at worker ${workerName}`;
  // A workflow has no attempts, however much it did, and a wait needs none.
  const by =
    isWorkflow || (state === 'SUCCEEDED' && attempt === 0) ? '' : `, ${attempt === 0 ? 'before any attempt' : tried}`;
  const why = failure ? `: ${failure.type}: ${failure.message}` : '';
  return sentence(`${name} ended ${state}${at(sinceUs)}${by}${why}`);
}

function runningText(name: string, job: ExplainedJob, running: RunningAttempt): string {
  const { state, reason, suspendTimeUs } = job;
  const { attempt, workerName, sessionId, assignTimeUs, beatTimeUs, progress } = running;
  const verb = state === 'RUNNING' ? 'is run by' : state === 'ASSIGNED' ? 'was handed to' : 'was asked to stop at';
  const parts = [
    `${name} ${verb} ${workerName} (session ${sessionId}), which has had attempt ${attempt} since ${momentText(assignTimeUs)}`,
    ...(state === 'CANCELLING' ? [`The cancel says: ${reason}`] : []),
    ...(suspendTimeUs === undefined ? [] : [suspendText(suspendTimeUs, reason)]),
    ...(beatTimeUs === undefined ? [] : [`The worker's last heartbeat came at ${momentText(beatTimeUs)}`]),
    ...(progress ? reportedTexts(progress, mayRunToItsEnd(job), beatTimeUs ?? assignTimeUs) : []),
  ];
  return parts.map(sentence).join(' ');
}

/**
 * @param hasEnd Whether it may have an estimated end.
 * @param sinceUs A time that is past.
 */
function reportedTexts(progress: Progress, hasEnd: boolean, sinceUs: number): string[] {
  const { message, counts } = progress;
  const said = `The handler says that it ${doneText(progress)}${message === '' ? '' : `: ${message}`}`;
  const endUs = counts && hasEnd ? estimatedEndUs(counts) : undefined;
  const isAhead = endUs !== undefined && endUs > sinceUs;
  return isAhead ? [said, `At its pace so far it is done at ${momentText(endUs)}`] : [said];
}

function doneText({ fraction, counts }: Progress): string {
  const share = `${Math.floor(fraction * 100)} %`;
  if (!counts) return `is ${share} done`;
  const { done, total, unit } = counts;
  const units = unit === '' ? '' : ` ${unit}`;
  return total === undefined ? `has done ${done}${units}` : `has done ${done} of ${total}${units}, ${share}`;
}

function suspendText(untilUs: number, reason: string): string {
  return `Its handler was asked to stop, so that the job continues later, and has until ${momentText(untilUs)}: ${reason}`;
}

function workflowText(name: string, { state, reason }: ExplainedJob, progress: WorkflowProgress | undefined): string {
  const [first, ...others] = progressTexts(progress);
  const cancel = state === 'CANCELLING' ? [`It is being stopped: ${reason}`] : [];
  return [`${name} ${first}`, ...cancel, ...others].map(sentence).join(' ');
}

function waitingText(name: string, { job, constraints, place, estimate, workflow }: Facts): string {
  const { state, queue, sinceUs } = job;
  const since = sinceUs === undefined ? '' : ` since ${momentText(sinceUs)}`;
  const [first, ...others] = constraints;
  const free = workflow
    ? 'nothing holds it back, and the control plane is about to start it'
    : 'nothing holds it back, it starts as soon as a worker asks';
  const why = `: ${first ? whyText(first) : free}`;
  const parts = [
    `${name} has been ${state} in queue ${queue}${since}${why}`,
    ...others.map((other, i) => `${i === 0 ? 'Besides' : 'And'}, ${whyText(other)}`),
    ...(place ? [`Its place in line is ${place.isLeast ? `${place.place} or later` : place.place}`] : []),
    ...(estimate ? [`${estimate.basis.charAt(0).toUpperCase()}${estimate.basis.slice(1)}`] : []),
  ];
  return parts.map(sentence).join(' ');
}

function whyText({ message, sinceUs }: Constraint): string {
  return sinceUs === undefined ? message : `${message} (since ${momentText(sinceUs)})`;
}

function at(us: number | undefined): string {
  return us === undefined ? '' : ` at ${momentText(us)}`;
}

/** User-written text may end with a full stop, or span several lines. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
