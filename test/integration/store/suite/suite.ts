/** The one suite of the store's port: whatever database runs it has to pass all of it. */
import type { StoreContext } from '../../../support/store-context.ts';
import { changeSuite } from './change.ts';
import { changeSelectionsSuite } from './change-selections.ts';
import { claimSuite } from './claim.ts';
import { cleanupsSuite } from './cleanups.ts';
import { compatibilitySuite } from './compatibility.ts';
import { completeSuite } from './complete.ts';
import { definitionsSuite } from './definitions.ts';
import { erasingSuite } from './erasing.ts';
import { heldSuite } from './held.ts';
import { holdsSuite } from './holds.ts';
import { lanesSuite } from './lanes.ts';
import { listJobsSuite } from './list-jobs.ts';
import { migrationsSuite } from './migrations.ts';
import { partitionsSuite } from './partitions.ts';
import { readJobSuite } from './read-job.ts';
import { sessionsSuite } from './sessions.ts';
import { submitSuite } from './submit.ts';
import { submitKeysSuite } from './submit-keys.ts';
import { submitPlacesSuite } from './submit-places.ts';
import { suspectsSuite } from './suspects.ts';
import { timeLimitsSuite } from './time-limits.ts';
import { transitionsSuite } from './transitions.ts';

export function storeSuite(context: StoreContext): void {
  migrationsSuite(context);
  partitionsSuite(context);
  definitionsSuite(context);
  compatibilitySuite(context);
  lanesSuite(context);
  submitSuite(context);
  submitPlacesSuite(context);
  submitKeysSuite(context);
  claimSuite(context);
  suspectsSuite(context);
  completeSuite(context);
  cleanupsSuite(context);
  changeSuite(context);
  changeSelectionsSuite(context);
  holdsSuite(context);
  erasingSuite(context);
  sessionsSuite(context);
  heldSuite(context);
  timeLimitsSuite(context);
  readJobSuite(context);
  listJobsSuite(context);
  transitionsSuite(context);
}
