/** Stores the definitions of a worker before its first session. */
import type { DefinitionInit } from '../client/definition.ts';
import { definitionMessage } from '../client/definition.ts';
import { pause } from '../client/transport-retry.ts';
import { Code, MusterError } from '../error.ts';
import type { JobDefinition } from '../gen/muster/v1/job_definition_pb.ts';
import { JobDefinitionService } from '../gen/muster/v1/job_definition_service_pb.ts';
import type { Logger } from '../logger.ts';
import type { Channel } from '../transport/channel.ts';
import { unaryClient } from '../transport/unary-client.ts';
import type { TypedJob } from '../typed/typed-job.ts';
import { isTypedJob } from '../typed/typed-job.ts';
import { newUuid } from '../uuid.ts';
import { backoff } from './core/base/backoff.ts';
import { callFailure } from './core/base/call-failure.ts';
import { OPEN_TIMEOUT } from './core/base/limits.ts';

/** @throws TypeError when a field is unknown, a namespace is not the worker's, or two definitions have the same name. */
export function definitionMessages(
  definitions: readonly (DefinitionInit | TypedJob)[],
  namespace: string,
): JobDefinition[] {
  const names = new Set<string>();
  return definitions.map((definition, i) => {
    const where = `new Worker: definitions[${i}]`;
    const init = isTypedJob(definition) ? definition.definition : definition;
    const message = definitionMessage(init, namespace, where);
    const own = namespace || 'default';
    if ((message.namespace || 'default') !== own)
      throw new TypeError(`${where}: namespace is "${message.namespace}", the worker's is "${own}": leave it out`);
    if (names.has(message.name))
      throw new TypeError(`${where}: "${message.name}" is listed twice: give each definition once`);
    names.add(message.name);
    return message;
  });
}

/**
 * Stores the definitions, one after the other. While the control plane can't be reached it tries again, like the opening
 * of a session.
 *
 * @throws MusterError when a definition is refused; CANCELLED when `signal` is aborted.
 */
export async function applyDefinitions(
  definitions: readonly JobDefinition[],
  channel: Channel,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const service = unaryClient(channel, JobDefinitionService);
  for (const definition of definitions) {
    const request = { definition, requestId: newUuid() };
    const options = { timeoutMs: OPEN_TIMEOUT, waitForReady: true, signal };
    for (let failures = 1; ; failures++) {
      try {
        await service.applyJobDefinition(request, options);
        break;
      } catch (error) {
        if (!isPassing(error)) throw error;
        const failure = callFailure(error);
        const waitMs = backoff(failures, failure, Math.random);
        const what = { definition: definition.name, waitMs, error: failure.message };
        logger.log('warn', 'a definition could not be stored yet', what);
        await pause(waitMs, signal);
      }
    }
  }
}

/** No answer, or a refusal for now. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof MusterError)) return false;
  const { code, retryDelayMs } = error;
  return code === Code.UNAVAILABLE || code === Code.DEADLINE_EXCEEDED || retryDelayMs !== undefined;
}
