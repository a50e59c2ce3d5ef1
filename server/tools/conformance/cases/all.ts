/** All cases, by group. */
import type { Group } from '../case.ts';
import { assignmentCases } from './assignments.ts';
import { beatCases } from './beats.ts';
import { busCases } from './bus.ts';
import { cancelCases } from './cancels.ts';
import { childCases } from './children.ts';
import { creditCases } from './credits.ts';
import { endingCases } from './ending.ts';
import { leaseCases } from './lease.ts';
import { opening } from './opening.ts';
import { prefetchCases } from './prefetch.ts';
import { reportCases } from './reports.ts';
import { runningCases } from './running.ts';
import { suspendCases } from './suspends.ts';
import { updateCases } from './updates.ts';

export const groups: readonly Group[] = [
  opening,
  beatCases,
  creditCases,
  assignmentCases,
  prefetchCases,
  runningCases,
  cancelCases,
  suspendCases,
  updateCases,
  reportCases,
  childCases,
  leaseCases,
  busCases,
  endingCases,
];
