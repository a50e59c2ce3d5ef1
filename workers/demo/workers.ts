/** The two workers of the flights demo. */
import { fileURLToPath } from 'node:url';
import type { Workers } from './deployment.ts';

/** @param outFolder Output folder of the TypeScript worker. */
export function flightWorkers(outFolder: string): Workers {
  return {
    'delay-stats': (address) => ({
      command: 'python',
      args: [pathOf('delay_stats.py'), address],
      hint: '"npm run demo" sets up the Python that it needs.',
    }),
    'delay-report': (address) => ({
      command: process.execPath,
      args: [pathOf('report-worker.ts'), address, outFolder],
    }),
  };
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
