/** `muster worker exec` speaks the protocol: its worker, whose handlers are a script, passes every case that is about it. */
import { conforms, withCompileCache } from './support/conform.ts';

withCompileCache();
// A process for each of 2,500 attempts would be a test of the machine.
conforms(['workers/conformance-exec/run'], { without: ['children', 'content-types', 'many-slots'] });
