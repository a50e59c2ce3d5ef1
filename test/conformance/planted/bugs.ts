/** Every planted bug. */
import { attemptBugs } from './attempt-bugs.ts';
import type { Bug } from './bug.ts';
import { faultBugs } from './fault-bugs.ts';
import { sessionBugs } from './session-bugs.ts';

export const bugs: readonly Bug[] = [...sessionBugs, ...attemptBugs, ...faultBugs];
