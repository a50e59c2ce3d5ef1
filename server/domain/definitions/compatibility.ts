/** What a new version of a definition may break: jobs in flight, connected workers, readers of results. */

import { canonicalDemands, fits, type SessionClass } from '../dispatch/placement.ts';
import type { JobDefinition } from './definition.ts';
import { covers } from './schema-change.ts';

/** Named as in the contract. */
export type CompatibilityKind =
  | 'NO_WORKER'
  | 'WORKER_EXCLUDES_VERSION'
  | 'JOBS_IN_FLIGHT'
  | 'INPUT_SCHEMA_NARROWED'
  | 'OUTPUT_SCHEMA_WIDENED'
  | 'PLACEMENT_CHANGED';

export interface CompatibilityIssue {
  readonly kind: CompatibilityKind;
  readonly message: string;
  /** Names of workers, or version numbers. */
  readonly subjects: readonly string[];
}

/** A connected worker and the handlers, labels and resources that it offers. */
export interface Offer extends SessionClass {
  readonly workerName: string;
}

export interface DefinitionChange {
  /** Undefined: there is no previous version. */
  readonly previous: JobDefinition | undefined;
  readonly next: JobDefinition;
  readonly offers: readonly Offer[];
  /** Older versions that open jobs pin. */
  readonly openVersions: readonly number[];
}

const MAX_SUBJECTS = 20;

/** Whether a worker with this offer runs jobs of the version. */
export function canRun(offer: Offer, definition: JobDefinition): boolean {
  const { namespace, queue, name, version, handler } = definition;
  const demands = canonicalDemands(definition.demands);
  return fits(
    offer,
    { namespace, queue, definition: name, definitionVersion: version, demands, suspect: false },
    handler,
  );
}

/** Each name once, however many sessions carry it. */
function namesOf(offers: readonly Offer[]): string[] {
  return [...new Set(offers.map((offer) => offer.workerName))].sort();
}

function issue(kind: CompatibilityKind, message: string, subjects: readonly string[] = []): CompatibilityIssue {
  return { kind, message, subjects: subjects.slice(0, MAX_SUBJECTS) };
}

/** A workflow or a wait has no worker issues: no worker runs it. */
function workerIssues({ previous, next, offers }: DefinitionChange): CompatibilityIssue[] {
  if (next.workflow || next.wait) return [];
  const issues: CompatibilityIssue[] = [];
  const older = previous ? offers.filter((offer) => canRun(offer, previous)) : [];
  if (previous && older.length > 0 && !offers.some((offer) => canRun(offer, next))) {
    const message = `no connected worker can run version ${next.version}; the named workers run version ${previous.version}`;
    issues.push(issue('NO_WORKER', message, namesOf(older)));
  }
  const servesVersion = (offer: Offer) => canRun(offer, { ...next, demands: { labels: {} } });
  const excluding = offers.filter(
    (offer) => offer.handlers.some((handler) => handler.name === next.handler) && !servesVersion(offer),
  );
  if (excluding.length > 0) {
    const message = `the named workers serve versions of ${next.handler} that exclude version ${next.version}`;
    issues.push(issue('WORKER_EXCLUDES_VERSION', message, namesOf(excluding)));
  }
  return issues;
}

function schemaIssues({ previous, next }: DefinitionChange): CompatibilityIssue[] {
  const issues: CompatibilityIssue[] = [];
  if (previous && !covers(next.inputSchema, previous.inputSchema)) {
    const message = `inputs that fit version ${previous.version} may be refused: it is not certain that all of them still fit`;
    issues.push(issue('INPUT_SCHEMA_NARROWED', message));
  }
  if (previous && !covers(previous.outputSchema, next.outputSchema)) {
    const message = `results may not fit the output schema of version ${previous.version}: it is not certain that all of them do`;
    issues.push(issue('OUTPUT_SCHEMA_WIDENED', message));
  }
  return issues;
}

function placementIssues({ previous, next }: DefinitionChange): CompatibilityIssue[] {
  if (!previous) return [];
  const changes: string[] = [];
  if (previous.queue !== next.queue) changes.push(`to queue ${next.queue} instead of ${previous.queue}`);
  const [before, now] = [kindOf(previous), kindOf(next)];
  if (before !== now && now === 'task') changes.push(`to handler ${next.handler}: the definition was a ${before}`);
  else if (before !== now) changes.push(`to no handler any more: the definition is a ${now} now`);
  else if (previous.handler !== next.handler) changes.push(`to handler ${next.handler} instead of ${previous.handler}`);
  if (canonicalDemands(previous.demands) !== canonicalDemands(next.demands)) {
    changes.push('to workers that meet other demands');
  }
  return changes.length > 0 ? [issue('PLACEMENT_CHANGED', `jobs go ${changes.join(', ')}`)] : [];
}

function kindOf({ workflow, wait }: JobDefinition): 'task' | 'workflow' | 'wait' {
  return workflow ? 'workflow' : wait ? 'wait' : 'task';
}

/** Sorted by kind. */
export function compatibilityIssues(change: DefinitionChange): CompatibilityIssue[] {
  const versions = change.openVersions.map(String);
  const open = `jobs of older versions are open; they keep theirs: ${versions.join(', ')}`;
  const inFlight = versions.length > 0 ? [issue('JOBS_IN_FLIGHT', open, versions)] : [];
  return [...workerIssues(change), ...inFlight, ...schemaIssues(change), ...placementIssues(change)];
}
