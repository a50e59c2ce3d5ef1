/** Journal and history merged into one order, and indexed for the checks. */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import type { Entry, History } from '../../core/history.ts';
import type { JournalRow } from '../../database/journal.ts';
import type { PlannedBatch } from '../../scenario/batches.ts';
import type { PlannedFlow } from '../../scenario/flows.ts';
import type { Profile } from '../../scenario/profile.ts';

/** A journal row with its position in the merged order. */
export interface Ordered extends JournalRow {
  readonly order: number;
}

/** The fence: job, attempt and session. */
export function fenceOf(job: unknown, attempt: unknown, session: unknown): string {
  return `${job}/${attempt}/${session}`;
}

/** The request that created a job. */
export interface JobFacts {
  readonly definition: string;
  readonly queue: string;
  readonly input: string;
  readonly key: string | undefined;
  readonly batch: string | undefined;
  /** The job whose worker is required in any case. */
  readonly stickyTo: string | undefined;
  /** Its workflow or batch, its step, and its index among the step's jobs. */
  readonly parent: string | undefined;
  readonly step: number;
  readonly item: number;
  readonly retryOf: string | undefined;
  /** The job that this one cleans up after. */
  readonly cleanupOf: string | undefined;
  /** The schedule that created it, and the time of the run. */
  readonly schedule: string | undefined;
  readonly scheduleTime: string | undefined;
  /** The first requested run time; µs on the database's clock. */
  readonly startUs: number;
}

/** The clients' plans: workflows by their definitions, batches by their names. */
export interface Plans {
  readonly flows: ReadonlyMap<string, PlannedFlow>;
  readonly batches: ReadonlyMap<string, PlannedBatch>;
}

export interface Evidence {
  readonly journal: readonly Ordered[];
  readonly history: History;
  /** Entries by kind. */
  readonly seen: ReadonlyMap<string, readonly Entry[]>;
  /** Reports that reached a replica, by fence. */
  readonly asked: ReadonlyMap<string, readonly Entry[]>;
  readonly starts: ReadonlyMap<string, readonly Entry[]>;
  /** Cancel signals and returns of handlers, by fence. */
  readonly stops: ReadonlyMap<string, readonly Entry[]>;
  readonly facts: ReadonlyMap<string, JobFacts>;
  readonly plans: Plans;
  readonly profile: Profile;
  readonly leaseMs: number;
}

/** The error of the clocks that replicas follow while the database's has stepped: their rates differ by 1 %. */
const OWN_CLOCK_ERROR_US = 200_000;

/** How much before its time something may be done, in µs: nothing, unless the clock of the database has stepped. */
export function clockErrorUs({ history }: Pick<Evidence, 'history'>): number {
  const { counts } = history;
  return counts.has('clock of the database ahead') || counts.has('clock of the database behind')
    ? OWN_CLOCK_ERROR_US
    : 0;
}

export const names: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(stateCodes).map(([name, code]) => [code, name]),
);

function group(entries: readonly Entry[], keyOf: (entry: Entry) => string): Map<string, Entry[]> {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const found = groups.get(key);
    if (found) found.push(entry);
    else groups.set(key, [entry]);
  }
  return groups;
}

function factsOf(row: JournalRow): JobFacts {
  const { definition, queue, input, key, parent, step, item, retryOf, labels } = JSON.parse(row.text ?? '{}');
  const cleanupOf = labels?.['muster/cleanup-of'];
  const optional = (value: string | null | undefined) => value ?? undefined;
  return {
    definition,
    queue,
    input,
    key: optional(key),
    batch: optional(labels?.batch),
    stickyTo: optional(labels?.['sticky-to']),
    parent: optional(parent),
    step: step ?? 0,
    item: item ?? 0,
    retryOf: optional(retryOf),
    cleanupOf: optional(cleanupOf),
    schedule: optional(labels?.['muster/schedule']),
    scheduleTime: optional(labels?.['muster/schedule-time']),
    startUs: row.until ?? row.at,
  };
}

/** Whether this row starts an attempt: the job is assigned to a session. */
export function isGrant({ kind, to }: JournalRow): boolean {
  return (kind === 'move' || kind === 'create') && to === stateCodes.ASSIGNED;
}

export function gather(journal: readonly JournalRow[], history: History, profile: Profile, plans: Plans): Evidence {
  const byFence = ({ facts }: Entry) => fenceOf(facts.job, facts.attempt, facts.session);
  const seen = group(history.entries, (entry) => entry.kind);
  const of = (...kinds: string[]) => kinds.flatMap((kind) => seen.get(kind) ?? []).sort((a, b) => a.order - b.order);
  return {
    journal: journal.map((row) => ({ ...row, order: history.statementOrder.get(row.at) ?? -1 })),
    history,
    seen,
    asked: group(of('report asked'), byFence),
    starts: group(of('start'), byFence),
    stops: group(of('signal', 'return'), byFence),
    facts: new Map(journal.filter((row) => row.kind === 'record').map((row) => [row.id, factsOf(row)])),
    plans,
    profile,
    leaseMs: profile.times.leaseMs,
  };
}
