/** The databases that tests run on: in the core the fewest that show whether something works. */
import { coreOf } from './tier.ts';

/** What a deployment keeps its data in. The embedded one runs the same statements, behind another driver. */
export const databaseKinds = coreOf(['PostgreSQL', 'PGlite'] as const, 1);

/** What the store supports: the newest PostgreSQL, the embedded one, and the oldest PostgreSQL. */
export const storeKinds = coreOf(['PostgreSQL 18', 'PGlite', 'PostgreSQL 16'] as const, 2);
