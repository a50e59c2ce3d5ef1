/** One job's trace, as `muster trace` draws it: of the job that was tried most often, the last of several. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Job } from '@muster/sdk';
import type { Deployment } from './deployment.ts';

const LONGEST_MS = 30_000;
const command = fileURLToPath(new URL('../../server/cli/muster.ts', import.meta.url));

export class MostTried {
  #job: Job | undefined;

  /** Told each job that has ended. */
  ended(job: Job): void {
    if (job.attempts.length >= (this.#job?.attempts.length ?? 0)) this.#job = job;
  }

  /** The command's output, after the line that asks for it. */
  async trace({ address, signal }: Deployment): Promise<string> {
    if (!this.#job) throw new Error('no job has ended');
    const args = ['trace', this.#job.jobId];
    const options = { signal, timeout: LONGEST_MS };
    const { stdout } = await promisify(execFile)(process.execPath, [command, '--server', address, ...args], options);
    return `$ npx muster ${args.join(' ')}\n${stdout}`;
  }
}
