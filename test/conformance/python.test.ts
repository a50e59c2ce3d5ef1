/** The Python SDK implements the protocol: its worker passes every case of `muster conformance`. */
import { conforms } from './support/conform.ts';

conforms(['python', 'workers/conformance-python/worker.py']);
