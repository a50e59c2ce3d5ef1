/**
 * Requests that must be refused: the rows of the bad-input catalogue about fields, and further cases that were found.
 */
import './base/text.ts';
import './base/numbers.ts';
import './base/names.ts';
import './definitions/schemas.ts';
import './base/sizes.ts';
import './base/ids.ts';
import './definitions/definitions.ts';
import './definitions/rollouts.ts';
import './jobs/changes.ts';
import './jobs/pages.ts';
import './base/rest.ts';
import './queues/queues.ts';
import './retries/retries.ts';
import './sessions/workers.ts';
import './retries/breakers.ts';
import './sessions/logs.ts';
import './retries/budgets.ts';
import './dispatch/limits.ts';
import './dispatch/placement.ts';
import './schedules/schedules.ts';
import './triggers/triggers.ts';
import './jobs/submission-rules.ts';
import './workflows/workflows.ts';
import './batches/batches.ts';
import './signals/signals.ts';
import './dependencies/dependencies.ts';
import './workflows/workflow-runs.ts';
import { added, type BadRequest } from './base/builder.ts';

export type { BadRequest, Seed } from './base/builder.ts';

export const badRequests: readonly BadRequest[] = added;
