/** The store's suite on PostgreSQL 18, the newest supported version. */
import { describe } from 'vitest';
import { useStore } from '../../support/store/store-context.ts';
import { storeSuite } from './suite/suite.ts';

describe('the store on PostgreSQL 18', () => storeSuite(useStore('PostgreSQL 18')));
