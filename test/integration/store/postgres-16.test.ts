/** The store's suite on PostgreSQL 16, the oldest supported version. */
import { describe } from 'vitest';
import { useStore } from '../../support/store/store-context.ts';
import { storeSuite } from './suite/suite.ts';

describe('the store on PostgreSQL 16', () => storeSuite(useStore('PostgreSQL 16')));
