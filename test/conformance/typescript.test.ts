/** The TypeScript SDK implements the protocol: its worker passes every case of `muster conformance`. */
import { conforms, withCompileCache } from './support/conform.ts';

withCompileCache();
conforms([process.execPath, 'workers/conformance-typescript/worker.ts']);
