/** The databases of the tests. The core uses the fewest that still test a feature. */
import { coreOf } from '../run/cases.ts';

/** The databases of a deployment. The embedded one runs the same statements through another driver. */
export const databaseKinds = coreOf(['PostgreSQL', 'PGlite'] as const, 1);

/** The databases that the store supports: the newest PostgreSQL, the embedded one, and the oldest PostgreSQL. */
export const storeKinds = coreOf(['PostgreSQL 18', 'PGlite', 'PostgreSQL 16'] as const, 1);
