/** Random lives of a job: its path is always legal, it ends once, and its attempt numbers only rise. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../server/domain/base/payload.ts';
import { decideSuspend } from '../../../server/domain/dependencies/children.ts';
import * as decide from '../../../server/domain/jobs/decide.ts';
import { decideDue } from '../../../server/domain/jobs/decide-due.ts';
import { decideLoss } from '../../../server/domain/jobs/decide-loss.ts';
import { isLegal, isTerminal, type JobEvent, type JobState } from '../../../server/domain/jobs/job-state.ts';
import { decidePause, decideResume, decideUpdate, type PauseRefusal } from '../../../server/domain/jobs/pause.ts';
import type { Change, OpenRun } from '../../../server/domain/jobs/run.ts';
import type { RetryPolicy } from '../../../server/domain/retries/retry-policy.ts';
import { openRunAt } from '../../support/jobs/open-run.ts';
import { chance, isHeld, NOON_US, retryPolicy, SESSION_ID } from '../base/arbitraries.ts';

type Word =
  | 'claim'
  | 'observe'
  | 'succeed'
  | 'fail'
  | 'release'
  | 'abort'
  | 'lapse'
  | 'massLapse'
  | 'close'
  | 'confirmCancel'
  | 'cancel'
  | 'pause'
  | 'suspend'
  | 'stop'
  | 'resume'
  | 'put off'
  | 'wait';
type ReportWord = Exclude<Word, 'wait' | 'claim' | 'observe' | 'cancel' | 'pause' | 'suspend' | 'resume' | 'put off'>;

const sessionEnds = { lapse: 'LAPSE', massLapse: 'MASS_LAPSE', close: 'CLOSE' } as const;

interface Step {
  readonly word: Word;
  readonly random: number;
  readonly waitUs: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  // Cancels end the story early, so they are drawn less often.
  word: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom<Word>('claim', 'observe', 'wait') },
    { weight: 6, arbitrary: fc.constantFrom<Word>('fail', 'release', 'abort', 'lapse', 'massLapse', 'close') },
    { weight: 4, arbitrary: fc.constantFrom<Word>('pause', 'suspend', 'stop', 'resume', 'resume', 'put off') },
    { weight: 1, arbitrary: fc.constantFrom<Word>('succeed', 'cancel', 'confirmCancel') },
  ),
  random: chance,
  waitUs: fc.integer({ min: 0, max: 400_000_000 }),
});

function taken(decision: Change | PauseRefusal | undefined): Change | undefined {
  return typeof decision === 'string' ? undefined : decision;
}

/** Applies a decision as the store does, and the events that are separate SQL statements. */
class Life {
  run: OpenRun;
  end: JobState | undefined;
  nowUs = NOON_US;
  readonly path: { event: JobEvent; from: JobState; to: JobState; attempt: number }[] = [];
  readonly #policy: RetryPolicy;

  constructor(run: OpenRun, policy: RetryPolicy) {
    this.run = run;
    this.#policy = policy;
  }

  play({ word, random, waitUs }: Step): void {
    const moment = { nowUs: this.nowUs, random };
    if (word === 'wait') {
      this.nowUs += waitUs;
      this.#take(decideDue(this.run, this.#policy, { nowUs: this.nowUs, random }));
    } else if (word === 'claim') this.#claim();
    else if (word === 'observe') this.#observe();
    else if (word === 'cancel') this.#take(decide.decideCancel(this.run, '', 30_000, moment));
    else if (word === 'pause') this.#take(taken(decidePause(this.run, { reason: '' }, this.nowUs)));
    else if (word === 'suspend')
      this.#take(taken(decidePause(this.run, { reason: '', graceMs: waitUs / 1000 }, this.nowUs)));
    else if (word === 'resume') this.#take(decideResume(this.run, moment));
    else if (word === 'put off') this.#take(taken(decideUpdate(this.run, { runTimeUs: this.nowUs + waitUs }, moment)));
    else if (isHeld(this.run.state)) this.#report(word, moment);
  }

  #report(word: ReportWord, moment: decide.Moment): void {
    if (word === 'succeed') {
      this.#note('succeed', 'SUCCEEDED');
      this.end = 'SUCCEEDED';
    } else this.#take(this.#decide(word, moment));
  }

  #decide(word: Exclude<ReportWord, 'succeed'>, moment: decide.Moment): Change {
    switch (word) {
      case 'fail':
        return decide.decideFail(this.run, systemFailure('APPLICATION', 'Error', 'no'), this.#policy, moment);
      case 'stop':
        return decideSuspend(this.run, 0, moment);
      case 'release':
        return decide.decideRelease(this.run, 'NO_SLOT', moment);
      case 'abort':
        return decideLoss(decide.decideAbort(this.run, moment), this.#policy, moment);
      case 'confirmCancel':
        return decideLoss(decide.decideConfirmCancel(this.run, moment), this.#policy, moment);
      default:
        return decideLoss(
          decide.decideSessionEnd(this.run, sessionEnds[word], moment),
          this.#policy,
          moment,
          word !== 'massLapse',
        );
    }
  }

  #claim(): void {
    if (this.run.state !== 'READY') return;
    const attempt = this.run.attempt + 1;
    const assigned = { state: 'ASSIGNED', attempt, sessionId: SESSION_ID, dueTimeUs: null } as const;
    this.run = { ...this.run, attempt };
    this.#note('claim', 'ASSIGNED');
    this.run = { ...this.run, ...assigned };
  }

  #observe(): void {
    if (this.run.state !== 'ASSIGNED') return;
    this.#note('observe', 'RUNNING');
    const { suspension } = this.run;
    const timeoutUs = this.nowUs + 1_000_000;
    const dueTimeUs = Math.min(timeoutUs, suspension?.untilUs ?? timeoutUs);
    this.run = { ...this.run, state: 'RUNNING', dueTimeUs };
  }

  #note(event: JobEvent, to: JobState): void {
    this.path.push({ event, from: this.run.state, to, attempt: this.run.attempt });
  }

  #take(change: Change | undefined): void {
    if (!change) return;
    this.#note(change.event, change.state);
    if (change.kind === 'end') {
      this.end = change.state;
      return;
    }
    const { kind: _, event: __, run, closed: ___, record, runTimeUs = null, deadlineUs, ...rest } = change;
    const { priority = run.priority, expireTimeUs = run.expireTimeUs } = record ?? {};
    this.run = {
      ...run,
      ...rest,
      priority,
      expireTimeUs,
      runTimeUs,
      limits: { ...run.limits, deadlineUs },
      sessionId: isHeld(change.state) ? run.sessionId : null,
    };
  }
}

function newRun(priority: number, expireInUs: number | null): OpenRun {
  const expireTimeUs = expireInUs === null ? null : NOON_US + expireInUs;
  return openRunAt(NOON_US, { priority, expireTimeUs, dueTimeUs: expireTimeUs });
}

const expiry = fc.option(fc.integer({ min: 0, max: 300_000_000 }), { nil: null });
const story = fc.record({ policy: retryPolicy, expireInUs: expiry, steps: fc.array(step, { maxLength: 120 }) });

/** Runs a story until the job has ended, with a check after each step. */
function lives(check: (life: Life) => void): void {
  fc.assert(
    fc.property(story, ({ policy, expireInUs, steps }) => {
      const life = new Life(newRun(0, expireInUs), { ...policy, maxAttempts: 1 + (policy.maxAttempts % 10) });
      for (const next of steps) {
        if (life.end) break;
        life.play(next);
        check(life);
      }
    }),
    { numRuns: 1_000 },
  );
}

describe('the life of a job', () => {
  it('follows the transition table, each step from the state before it', () => {
    lives(({ path }) => {
      const last = path.at(-1);
      if (!last) return;
      expect(last).toSatisfy(() => isLegal(last.event, last.from, last.to));
      expect(last.from).toBe(path.at(-2)?.to ?? 'READY');
    });
  });

  it('has no terminal state except the last', () => {
    lives(({ path }) => expect(path.slice(0, -1).some(({ to }) => isTerminal(to))).toBe(false));
  });

  it('has no assignment after a cancel', () => {
    lives(({ path }) => {
      const cancel = path.findIndex(({ event }) => event === 'requestCancel');
      if (cancel >= 0) expect(path.slice(cancel).some(({ to }) => ['READY', 'ASSIGNED'].includes(to))).toBe(false);
    });
  });

  it('has no assignment after a request to stop until it is resumed', () => {
    lives(({ path }) => {
      const asked = path.findLastIndex(({ event, to }) => event === 'pause' && isHeld(to));
      const after = path.slice(asked + 1);
      if (asked < 0 || after.some(({ event }) => event === 'resume')) return;
      expect(after.some(({ to }) => ['READY', 'SCHEDULED', 'ASSIGNED'].includes(to))).toBe(false);
    });
  });

  it('has strictly rising attempt numbers', () => {
    lives(({ path }) => {
      const attempts = path.filter(({ event }) => event === 'claim').map(({ attempt }) => attempt);
      expect(attempts).toEqual(attempts.map((_, i) => i + 1));
    });
  });

  it('keeps its expiry exactly as long as no attempt may have started', () => {
    lives(({ run, end, path }) => {
      if (end === 'EXPIRED')
        expect(path.every(({ event }) => !['observe', 'fail', 'lapse'].includes(event))).toBe(true);
      if (end || run.state !== 'READY' || run.expireTimeUs === null) return;
      const untouched = path.every(({ event }) =>
        ['claim', 'release', 'promote', 'pause', 'resume', 'update'].includes(event),
      );
      expect(run.dueTimeUs).toBe(untouched ? run.expireTimeUs : null);
    });
  });

  it('reaches every kind of end, so the stories are not trivial', () => {
    const ends = new Set<JobState>();
    lives(({ end }) => void (end && ends.add(end)));
    expect([...ends].sort()).toEqual(['CANCELLED', 'EXPIRED', 'FAILED', 'SUCCEEDED']);
  });
});
