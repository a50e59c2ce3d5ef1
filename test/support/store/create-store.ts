/** The store of a replica on any database; a test that uses `useStore` fails if a method runs two statements. */
import { composeStore } from '../../../server/engine/base/composed-store.ts';
import type { Store } from '../../../server/engine/ports/store.ts';
import type { Vitals } from '../../../server/engine/ports/vitals.ts';
import { composeVitals } from '../../../server/engine/upkeep/vitals.ts';
import { type Database, type Session, within } from '../../../server/store/driver/database.ts';
import { createStatements } from '../../../server/store/store.ts';
import { vitalsStore } from '../../../server/store/upkeep/vitals.ts';
import { noteMethods, noteMethodsOf, noteStatements } from './single-statements.ts';

export const createStore = (database: Database): Store =>
  composeStore(noteMethods(createStatements(noteStatements(database))));

/** The store within an open transaction. */
export const storeWithin = (session: Session): Store => createStore(within(session));

export const createVitals = (database: Database): Vitals =>
  composeVitals(noteMethodsOf(vitalsStore(noteStatements(database)), 'vitals.'));
