/** The store of a replica on any database. */
import { composeStore } from '../../../server/engine/base/composed-store.ts';
import type { Store } from '../../../server/engine/ports/store.ts';
import type { Database } from '../../../server/store/driver/database.ts';
import { createStatements } from '../../../server/store/store.ts';

export const createStore = (database: Database): Store => composeStore(createStatements(database));
