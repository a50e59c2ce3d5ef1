/** `muster worker exec` implements the protocol: its worker, with a script as handlers, passes all applicable cases. */
import { conforms, withCompileCache } from './support/conform.ts';

withCompileCache();
// `many-slots` runs 2,500 attempts: with a process for each, the case would test the machine.
conforms(['workers/conformance-exec/run'], { without: ['children', 'content-types', 'many-slots', 'suspend'] });
