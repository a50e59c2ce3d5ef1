/** Planted bugs whose names begin with n to z are noticed. */
import { testMutants } from './mutants/noticed.ts';

testMutants((name) => name >= 'n');
