/**
 * Requests that must be refused: the rows of the bad-input catalogue about fields, and further cases that were found.
 */
import './text.ts';
import './numbers.ts';
import './names.ts';
import './schemas.ts';
import './sizes.ts';
import './ids.ts';
import './definitions.ts';
import './changes.ts';
import './pages.ts';
import './rest.ts';
import './queues.ts';
import './retries.ts';
import './workers.ts';
import './breakers.ts';
import './logs.ts';
import './budgets.ts';
import './limits.ts';
import './placement.ts';
import './schedules.ts';
import './submission-rules.ts';
import './workflows.ts';
import './batches.ts';
import './signals.ts';
import './dependencies.ts';
import './workflow-runs.ts';
import { added, type BadRequest } from './builder.ts';

export type { BadRequest, Seed } from './builder.ts';

export const badRequests: readonly BadRequest[] = added;
