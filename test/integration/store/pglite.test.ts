/** The store's suite on the embedded PostgreSQL. */
import { describe } from 'vitest';
import { useStore } from '../../support/store/store-context.ts';
import { storeSuite } from './suite/suite.ts';

describe('the store on PGlite', () => storeSuite(useStore('PGlite')));
