/** Bugs in the reaction of a worker to failures of calls, the bus, its own process or its clock. */
import { type Bug, inCore, inFile } from './bug.ts';

const CORE = 'sdk/typescript/src/worker/core';
const HOST = 'sdk/typescript/src/worker/handler-host.ts';
const NATS = 'sdk/typescript/src/worker/thread/nats-bus.ts';
const THREAD = 'sdk/typescript/src/worker/thread/session-thread.ts';

export const faultBugs: readonly Bug[] = [
  inCore(
    'takes a replica that goes for the end of its session',
    'replica-switch',
    'sessions/session.ts',
    'if (isLeaseLost(failure)) { this.#lost(); return; }',
    'if (isLeaseLost(failure) || failure.code === Code.UNAVAILABLE) { this.#lost(); return; }',
  ),
  inCore(
    'takes an alarm that rings too late for none',
    'stopped-process',
    'sessions/session.ts',
    'if (this.#fence.passed(now)) this.#fall();',
    'if (this.#fence.passed(now)) { if (now < this.#fence.at + 200) this.#fall(); }',
  ),
  inCore(
    'does not notice behind its fence that its session has ended',
    'stopped-process-lapsed',
    'sessions/session.ts',
    'if (!this.#closed) this.#host.sessionLost();',
    'if (!this.#closed && !this.#fenced) this.#host.sessionLost();',
  ),
  inFile(
    'times its fence by the wall clock',
    'wall-clock-jumps',
    `${CORE}/sessions/fence.ts`,
    'return now >= this.#at;',
    'return now + Date.now() - performance.timeOrigin - performance.now() >= this.#at;',
  ),
  inFile(
    'goes by the wall clock',
    'wall-clock-jumps',
    THREAD,
    'clock: { now: () => performance.now() },',
    'clock: { now: () => Date.now() },',
  ),
  inFile(
    'dies of an input that is none',
    'input-undecodable',
    HOST,
    "throw new NonRetryableError('the input is not what its content type says', { cause: error });",
    'process.exit(9);',
  ),
  inFile(
    'dies of a panic',
    'failure-panic',
    HOST,
    'const failure: Failure = toFailure(error);',
    "if ((error as Error).message === 'all is lost') process.exit(9); const failure: Failure = toFailure(error);",
  ),
  inFile('gives a slow bus up', 'bus-slow', NATS, 'CONNECT_TIMEOUT_MS = 2_000;', 'CONNECT_TIMEOUT_MS = 300;'),
  inFile(
    'waits for a word of the dead connection that it is to give up',
    'bus-dead',
    NATS,
    'this.#connection?.close().catch(',
    'this.#connection?.flush().then(() => this.#connection?.close()).catch(',
  ),
  inCore(
    'takes its credits back with each beat',
    'assign-lost-again',
    'base/limits.ts',
    'CREDIT_REPLACE_BELOW = 8_000;',
    'CREDIT_REPLACE_BELOW = 14_900;',
  ),
  inCore(
    'takes a late answer for the end of its session',
    'beat-answers-reordered',
    'sessions/session.ts',
    'this.#fence.extend(sentAt);',
    'const { at } = this.#fence; this.#fence.extend(sentAt); if (this.#fence.at === at) { this.#lost(); return; }',
  ),
  inCore(
    'voids in silence what a lost call has granted',
    'beat-answers-lost',
    'dispatch/grants.ts',
    'if (this.#supply.credits.void(id)) this.#unsaid.add(id);',
    'this.#supply.credits.void(id);',
  ),
  inCore(
    'receives no cancel of prefetched jobs',
    'prefetch-cancelled',
    'dispatch/attempts.ts',
    "else if (entry.phase !== 'closing' &&",
    "else if (entry.phase === 'running' &&",
  ),
  inCore(
    'does not repeat what is large',
    'report-cut-midway',
    'sessions/reports.ts',
    'else this.#again(batch, failure); }',
    'else if (batch.some(({ bytes }) => bytes < 65_536)) this.#again(batch, failure); else for (const { held } of batch) this.#owner.acknowledged(held); }',
  ),
  inCore(
    'forgets what it reports when it is cancelled',
    'cancel-report-in-flight',
    'dispatch/attempts.ts',
    "else if (entry.phase !== 'closing' &&",
    "else if (entry.phase === 'closing') this.#context.held.delete(entry); else if (",
  ),
  {
    name: 'repeats another report once it is cancelled',
    fails: 'cancel-report-failed',
    patches: [
      {
        file: `${CORE}/dispatch/attempts.ts`,
        find: "else if (entry.phase !== 'closing' &&",
        replace: "else if (entry.phase === 'closing') entry.continues = undefined; else if (",
      },
      {
        file: `${CORE}/sessions/reports.ts`,
        find: 'this.#batches.putBack(batch); const wait',
        replace:
          "for (const one of batch) if (one.held.continues === undefined) one.outcome = failed(sdkFailure(REFUSED, 'cancelled')); this.#batches.putBack(batch); const wait",
      },
    ],
  },
  inCore(
    'gives back what it is about to report',
    'cancel-report-waits',
    'dispatch/attempts.ts',
    "else if (entry.phase !== 'closing' &&",
    'else if (',
  ),
];
