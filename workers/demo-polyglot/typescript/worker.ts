/** The demo's worker in TypeScript: reads the data, and writes the report. `MUSTER_ADDRESS` says where the control plane is. */
import { Worker } from '@muster/sdk';
import { readNetwork } from './network.ts';
import { type Findings, reportOf } from './report.ts';
import { startTracing } from './tracing.ts';

// Without a place for spans it makes none.
const stopTracing = process.env.OTEL_EXPORTER_OTLP_ENDPOINT ? startTracing('polyglot-typescript') : undefined;
const worker = new Worker({
  address: process.env.MUSTER_ADDRESS ?? '',
  name: 'polyglot-typescript',
  slots: 4,
  signals: true,
  handlers: {
    'read-routes': () => readNetwork(),
    'write-report': (_ctx, findings: Findings) => reportOf(findings),
  },
});

await worker.run(); // until SIGINT or SIGTERM
await stopTracing?.();
