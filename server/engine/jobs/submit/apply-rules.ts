/**
 * Applies the rules of definitions to the jobs of a call, in the transaction that stores them: finds duplicates of
 * existing jobs, and waiting jobs to replace.
 * Locks are taken in the order keys, then runs: a transaction that holds a run's lock never waits for a key.
 */
import { decideCancel } from '../../../domain/jobs/decide.ts';
import {
  claimingOf,
  groupsOf,
  isRejected,
  type KeyGroup,
  nameOf,
  type OwnedKey,
  type RuleRefusal,
  refusal,
  refusalWithin,
  waitOf,
} from '../../../domain/jobs/rule-keys.ts';
import type { Change } from '../../../domain/jobs/run.ts';
import type { Store } from '../../ports/store.ts';
import type { Insertion, KeyClaim, KeyTakeOver, NewJob, RuleKey, SubmitCall } from '../../ports/submissions.ts';

const JOBS_PER_STATEMENT = 1_000;

type Group = KeyGroup<RuleKey>;

/** The call after its rules were applied. */
export interface Ruled {
  readonly insertion: Insertion;
  /** Jobs that have ended because one of these replaced them. */
  readonly replaced: readonly Change[];
  /** Jobs of the call itself that are to end once they are stored, each with the job that replaces it. */
  readonly superseded: ReadonlyMap<string, string>;
}

/** Applies the rules of one call. */
class Ruling {
  readonly #tx: Store;
  readonly #insertion: Insertion;
  readonly #groups: Map<string, Group>;
  /** Jobs answered with another one, by their index in the call. */
  readonly #answers = new Map<number, string>();
  /** By key: the latest time to which the debounced job may be put off. */
  readonly #latest = new Map<string, number>();
  readonly #superseded = new Map<string, string>();
  #replaced: readonly Change[] = [];

  constructor(tx: Store, insertion: Insertion, groups: Map<string, Group>) {
    this.#tx = tx;
    this.#insertion = insertion;
    this.#groups = groups;
  }

  async run(): Promise<Ruled | RuleRefusal> {
    const { call } = this.#insertion;
    const within = refusalWithin(this.#groups.values());
    if (within) return within;
    const claims = [...this.#groups.values()].map((group) => claimOf(call, group));
    const taken = await this.#tx.insertSubmissionKeys(claims);
    this.#noteUntil(taken);
    const held = claims.filter(({ rule }) => !taken.has(nameOf(rule.hash)));
    const refused = held.length > 0 ? await this.#contest(held) : undefined;
    if (refused) return refused;
    this.#foldGroups();
    return { insertion: this.#insert(), replaced: this.#replaced, superseded: this.#superseded };
  }

  /** Takes over the keys of jobs that do not block the claim, or are to be replaced. */
  async #contest(claims: readonly KeyClaim[]): Promise<RuleRefusal | undefined> {
    const { call } = this.#insertion;
    const hashes = claims.map(({ rule }) => rule.hash);
    await this.#tx.lockSubmissionKeys(hashes);
    const holders = await this.#tx.readSubmissionKeys(hashes);
    const replaced = new Map(call.keys.map(({ index, replacedJobId }) => [index, replacedJobId]));
    const free: (KeyClaim & { readonly holder: OwnedKey })[] = [];
    for (const claim of claims) {
      const holder = holders.get(nameOf(claim.rule.hash));
      if (!holder) throw goneMeanwhile();
      // A transaction that was broken off after it was stored comes again.
      if (holder.jobId === claim.jobId) continue;
      const wait = waitOf(claim.rule, holder, replaced.get(claim.rule.index));
      if (!wait) free.push({ ...claim, holder });
      else if (isRejected(claim.rule)) return refusal(claim.rule, wait.ms, { jobId: holder.jobId });
      else this.#answers.set(claim.rule.index, holder.jobId);
    }
    await this.#takeOver(free);
    return undefined;
  }

  async #takeOver(claims: readonly (KeyClaim & { readonly holder: OwnedKey })[]): Promise<void> {
    if (claims.length === 0) return;
    const ended = await this.#replaceWaiting(claims);
    const takeOvers = claims.map(({ rule, jobId, holder }): KeyTakeOver => {
      // Continues the row of submissions that the first one began.
      const continues = ended.has(holder.jobId) && holder.untilUs !== null;
      return { rule, jobId, holderJobId: holder.jobId, untilUs: continues ? (holder.untilUs as number) : undefined };
    });
    const taken = await this.#tx.takeOverSubmissionKeys(takeOvers);
    if (taken.size < claims.length) throw goneMeanwhile();
    this.#noteUntil(taken);
  }

  /** Ends waiting jobs that debounced ones replace. Returns the ids of those that ended. */
  async #replaceWaiting(claims: readonly (KeyClaim & { readonly holder: OwnedKey })[]): Promise<Set<string>> {
    const { call } = this.#insertion;
    const successors = new Map<string, string>();
    for (const { rule, holder } of claims) {
      const first = this.#groups.get(nameOf(rule.hash))?.[0] ?? rule;
      if (rule.kind === 'DEBOUNCE' && holder.state === 'SCHEDULED')
        successors.set(holder.jobId, jobAt(call, first).jobId);
    }
    this.#replaced = await replaceWaiting(this.#tx, call.namespace, successors);
    return new Set(this.#replaced.map(({ run }) => run.jobId));
  }

  #noteUntil(taken: ReadonlyMap<string, number | null>): void {
    for (const [name, untilUs] of taken) if (untilUs !== null) this.#latest.set(name, untilUs);
  }

  /** Jobs of this call with the same key: one is stored for all, or each is replaced by the next. */
  #foldGroups(): void {
    const { call } = this.#insertion;
    for (const [first, ...others] of this.#groups.values()) {
      let before = first;
      for (const rule of others) {
        const { jobId } = jobAt(call, before);
        if (rule.kind === 'DEBOUNCE') this.#superseded.set(jobId, jobAt(call, rule).jobId);
        else this.#answers.set(rule.index, this.#answers.get(first.index) ?? jobId);
        before = rule.kind === 'DEBOUNCE' ? rule : first;
      }
    }
  }

  #insert(): Insertion {
    const { call, jobIds, existing } = this.#insertion;
    const timed = new Map<number, NewJob>();
    for (const [name, group] of this.#groups)
      for (const rule of group) timed.set(rule.index, this.#startedInTime(name, rule));
    const isStored = (i: number) => !existing[i] && !this.#answers.has(i);
    return {
      call,
      jobs: call.jobs.flatMap((job, i) => (isStored(i) ? [timed.get(i) ?? job] : [])),
      jobIds: jobIds.map((jobId, i) => this.#answers.get(i) ?? jobId),
      existing: existing.map((was, i) => was || this.#answers.has(i)),
    };
  }

  #startedInTime(name: string, rule: RuleKey): NewJob {
    const job = jobAt(this.#insertion.call, rule);
    const latestUs = this.#latest.get(name);
    if (rule.kind !== 'DEBOUNCE' || latestUs === undefined || (job.runTimeUs ?? 0) <= latestUs) return job;
    return { ...job, ...rule.startingAt(latestUs) };
  }
}

function claimOf(call: SubmitCall, group: Group): KeyClaim {
  const rule = claimingOf(group);
  return { rule, jobId: jobAt(call, rule).jobId };
}

function jobAt(call: SubmitCall, { index }: RuleKey): NewJob {
  return call.jobs[index] as NewJob;
}

/** The transaction starts again, and finds the key free or with another holder. */
function goneMeanwhile(): Error {
  return Object.assign(new Error('another job has taken the key of a submission rule, or the key is gone'), {
    code: '40001',
  });
}

/** Ends those of these jobs that wait and have had no attempt. Each reports the job that replaced it. */
export async function replaceWaiting(
  tx: Store,
  namespace: string,
  successors: ReadonlyMap<string, string>,
): Promise<Change[]> {
  const changes: Change[] = [];
  // Sorted before they are split, so that their locks are taken in order.
  const jobIds = [...successors.keys()].sort();
  for (let at = 0; at < jobIds.length; at += JOBS_PER_STATEMENT) {
    const some = { by: 'jobs', namespace, jobIds: jobIds.slice(at, at + JOBS_PER_STATEMENT) } as const;
    const ended = await tx.change(some, (run, nowUs) =>
      run.state === 'SCHEDULED' && run.attempt === 0
        ? decideCancel(run, `replaced by job ${successors.get(run.jobId)}`, 0, { nowUs, random: 0 })
        : undefined,
    );
    changes.push(...ended);
  }
  return changes;
}

/** Undefined if no rule applies to the call. */
export async function applyRules(tx: Store, insertion: Insertion): Promise<Ruled | RuleRefusal | undefined> {
  const groups = groupsOf(insertion.call.rules ?? [], insertion.existing);
  return groups.size === 0 ? undefined : new Ruling(tx, insertion, groups).run();
}

/** The answer to a stored call, as far as it is known: for jobs that were not stored, the holders of their keys. */
export async function withHolders(
  store: Store,
  insertion: Insertion,
  isStored: (jobId: string) => boolean,
): Promise<Insertion> {
  const { call, jobIds, existing } = insertion;
  const missing = (call.rules ?? []).filter(({ index }) => !existing[index] && !isStored(jobIds[index] as string));
  if (missing.length === 0) return insertion;
  const holders = await store.readSubmissionKeys(missing.map(({ hash }) => hash));
  const answers = new Map(missing.map(({ index, hash }) => [index, holders.get(nameOf(hash))?.jobId]));
  return {
    ...insertion,
    jobIds: jobIds.map((jobId, i) => answers.get(i) ?? jobId),
    existing: existing.map((was, i) => was || answers.has(i)),
  };
}
