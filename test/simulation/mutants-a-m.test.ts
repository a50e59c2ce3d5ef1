/**
 * Planted bugs whose names begin with a to m are noticed. The others have a file of their own, to use a second core.
 */
import { testMutants } from './mutants/noticed.ts';

testMutants((name) => name < 'n');
