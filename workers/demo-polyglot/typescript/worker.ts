/**
 * The demo's worker in TypeScript: reads the data and writes the report. `MUSTER_ADDRESS` is the control plane's
 * address.
 */
import { Worker } from '@muster-jobs/sdk';
import { readNetwork } from './network.ts';
import { type Findings, reportOf } from './report.ts';
import { startTracing } from './tracing.ts';

// Makes no spans if no endpoint is set.
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
