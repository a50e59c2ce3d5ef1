/** The environment variables of a command: a few named ones, and none of the worker's own secrets. */
import type { JobContext } from '@muster-jobs/sdk';
import type { CommandSpec } from './command-spec.ts';
import type { JobFolder } from './job-folder.ts';

/** Variables of the worker that every command gets, if they are set. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'TZ'];
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** The file descriptor for messages. */
export const MESSAGE_DESCRIPTOR = 3;

/** Variables that do not depend on the job. */
export function fixedEnvironment(
  { environment, passEnvironment }: Pick<CommandSpec, 'environment' | 'passEnvironment'>,
  own: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const passed: Record<string, string> = { PATH: DEFAULT_PATH };
  for (const name of [...INHERITED, ...passEnvironment]) {
    const value = own[name];
    if (value !== undefined) passed[name] = value;
  }
  return { ...passed, ...environment };
}

/** Variables about the job. Empty values are left out. */
export function jobEnvironment(context: JobContext, folder: JobFolder): Record<string, string> {
  const facts: Record<string, string | undefined> = {
    MUSTER_JOB_ID: context.jobId,
    MUSTER_ATTEMPT: String(context.attempt),
    MUSTER_ATTEMPT_COUNT: String(context.attemptCount),
    MUSTER_DEFINITION: context.definition,
    MUSTER_DEFINITION_VERSION: String(context.definitionVersion),
    MUSTER_NAMESPACE: context.namespace,
    MUSTER_INPUT_FILE: folder.inputFile,
    MUSTER_INPUT_TYPE: context.input?.contentType,
    MUSTER_CHECKPOINT_FILE: folder.checkpointFile,
    MUSTER_FD: String(MESSAGE_DESCRIPTOR),
    TRACEPARENT: context.traceparent,
    TRACESTATE: context.tracestate,
  };
  return Object.fromEntries(Object.entries(facts).filter((fact): fact is [string, string] => Boolean(fact[1])));
}
