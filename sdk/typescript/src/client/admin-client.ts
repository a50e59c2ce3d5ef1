/**
 * Calls for definitions and their roll-outs, queues, workers, circuit breakers and the namespace. The base classes have
 * the other services.
 */

import { durationFromMs } from '../duration.ts';
import type { CircuitBreakerStatus } from '../gen/muster/v1/circuit_breaker_pb.ts';
import type { ListCircuitBreakersResponse } from '../gen/muster/v1/circuit_breaker_service_pb.ts';
import { CircuitBreakerService } from '../gen/muster/v1/circuit_breaker_service_pb.ts';
import type { JobDefinition } from '../gen/muster/v1/job_definition_pb.ts';
import type {
  ApplyJobDefinitionResponse,
  ListJobDefinitionsResponse,
} from '../gen/muster/v1/job_definition_service_pb.ts';
import { JobDefinitionService } from '../gen/muster/v1/job_definition_service_pb.ts';
import type { Namespace } from '../gen/muster/v1/namespace_pb.ts';
import { NamespaceService } from '../gen/muster/v1/namespace_service_pb.ts';
import type { Queue } from '../gen/muster/v1/queue_pb.ts';
import type { ListQueuesResponse } from '../gen/muster/v1/queue_service_pb.ts';
import { QueueService } from '../gen/muster/v1/queue_service_pb.ts';
import type { Rollout } from '../gen/muster/v1/rollout_pb.ts';
import type { ListRolloutsResponse } from '../gen/muster/v1/rollout_service_pb.ts';
import { RolloutService } from '../gen/muster/v1/rollout_service_pb.ts';
import type { Worker } from '../gen/muster/v1/worker_pb.ts';
import type { GetWorkerResponse, ListWorkersResponse } from '../gen/muster/v1/worker_service_pb.ts';
import { WorkerService } from '../gen/muster/v1/worker_service_pb.ts';
import type { Known } from '../options/known-options.ts';
import { within } from '../options/known-options.ts';
import type { CallOptions, OpenChannel } from '../transport/channel.ts';
import type { UnaryClient } from '../transport/unary-client.ts';
import { unaryClient } from '../transport/unary-client.ts';
import type { TypedJob } from '../typed/typed-job.ts';
import { isTypedJob } from '../typed/typed-job.ts';
import { newUuid } from '../uuid.ts';
import type { ClientOptions, PageOptions, RequestOptions } from './calls.ts';
import { pageOptions, present, requestOptions } from './calls.ts';
import type { DefinitionInit } from './definition.ts';
import { definitionMessage } from './definition.ts';
import type { PauseOptions } from './jobs/pause.ts';
import type { ApplyOptions, RolloutInit, RolloutRef } from './rollout.ts';
import { applyOptions, rolloutOptions, rolloutSettings } from './rollout.ts';
import type { NamespaceChange, QueueChange } from './settings.ts';
import { namespaceChange, queueChange } from './settings.ts';
import { SignalClient } from './signal-client.ts';

type ApplyCall = 'applyDefinition' | 'checkDefinition';

/** A queue has no timeouts to stop. */
type PauseQueueOptions = Omit<PauseOptions, 'stopTimeouts'>;
const pauseQueueOptions: Known<PauseQueueOptions> = { ...requestOptions, running: true, graceMs: true };

type DefinitionPageOptions = PageOptions & { readonly showArchived?: boolean };
const definitionPageOptions: Known<DefinitionPageOptions> = { ...pageOptions, showArchived: true };

export class AdminClient extends SignalClient {
  readonly #definitions: UnaryClient<(typeof JobDefinitionService)['method']>;
  readonly #rollouts: UnaryClient<(typeof RolloutService)['method']>;
  readonly #breakers: UnaryClient<(typeof CircuitBreakerService)['method']>;
  readonly #queues: UnaryClient<(typeof QueueService)['method']>;
  readonly #workers: UnaryClient<(typeof WorkerService)['method']>;
  readonly #namespaces: UnaryClient<(typeof NamespaceService)['method']>;

  constructor(options: ClientOptions, open: OpenChannel) {
    super(options, open);
    const { channel } = this.calls;
    this.#definitions = unaryClient(channel, JobDefinitionService);
    this.#rollouts = unaryClient(channel, RolloutService);
    this.#breakers = unaryClient(channel, CircuitBreakerService);
    this.#queues = unaryClient(channel, QueueService);
    this.#workers = unaryClient(channel, WorkerService);
    this.#namespaces = unaryClient(channel, NamespaceService);
  }

  /**
   * Stores a definition as a new version. Unchanged content returns the existing version. With `rollout` the new version
   * takes the place of the one before it step by step.
   *
   * @throws MusterError INVALID_ARGUMENT, also for the roll-out of a first version.
   */
  async applyDefinition(definition: DefinitionInit | TypedJob, options: ApplyOptions = {}): Promise<JobDefinition> {
    return present((await this.#apply('applyDefinition', definition, options)).definition, 'definition');
  }

  /**
   * Checks a definition without storing it. The answer says whether `applyDefinition` would make a new version
   * (`created`), what differs from the newest version (`differences`, values as JSON), and what may break for jobs in
   * flight and connected workers (`issues`).
   *
   * @throws MusterError INVALID_ARGUMENT as `applyDefinition` would.
   */
  checkDefinition(
    definition: DefinitionInit | TypedJob,
    options: ApplyOptions = {},
  ): Promise<ApplyJobDefinitionResponse> {
    return this.#apply('checkDefinition', definition, options);
  }

  /** Reads a definition. `version` 0 means the newest. */
  async getDefinition(name: string, version = 0, options: RequestOptions = {}): Promise<JobDefinition> {
    const request = { namespace: this.calls.namespace, name, version };
    const response = await this.calls.make('getDefinition', options, (call) =>
      this.#definitions.getJobDefinition(request, call),
    );
    return present(response.definition, 'definition');
  }

  /** Lists a page of definitions by name, each in its newest version. Archived ones need `showArchived`. */
  async listDefinitions(
    page: DefinitionPageOptions = {},
    options: RequestOptions = {},
  ): Promise<ListJobDefinitionsResponse> {
    const request = this.calls.page('listDefinitions', page, definitionPageOptions);
    return this.calls.make('listDefinitions', options, (call) => this.#definitions.listJobDefinitions(request, call));
  }

  /**
   * Archives a definition: new jobs are refused, existing ones continue. Applying it again, also unchanged, restores
   * it.
   */
  async archiveDefinition(name: string, options: RequestOptions = {}): Promise<JobDefinition> {
    const request = { namespace: this.calls.namespace, name, requestId: options.requestId ?? newUuid() };
    const response = await this.calls.make('archiveDefinition', options, (call) =>
      this.#definitions.archiveJobDefinition(request, call),
    );
    return present(response.definition, 'definition');
  }

  /** Reads the roll-out of a version. @throws MusterError NOT_FOUND (ROLLOUT_NOT_FOUND). */
  async getRollout(definition: string, options: RolloutRef & RequestOptions = {}): Promise<Rollout> {
    const request = { namespace: this.calls.namespace, definition, version: options.version ?? 0 };
    const send = (call: CallOptions) => this.#rollouts.getRollout(request, call);
    const response = await this.calls.make('getRollout', options, send, rolloutOptions);
    return present(response.rollout, 'roll-out');
  }

  /** Lists a page of the roll-outs by definition, those of newer versions first. */
  async listRollouts(page: PageOptions = {}, options: RequestOptions = {}): Promise<ListRolloutsResponse> {
    const request = this.calls.page('listRollouts', page);
    return this.calls.make('listRollouts', options, (call) => this.#rollouts.listRollouts(request, call));
  }

  /**
   * Replaces the settings of an open roll-out, and begins with the first step of the new ones.
   *
   * @throws MusterError INVALID_ARGUMENT; NOT_FOUND (ROLLOUT_NOT_FOUND); FAILED_PRECONDITION (ROLLOUT_ENDED).
   */
  async updateRollout(
    definition: string,
    rollout: RolloutInit,
    options: RolloutRef & RequestOptions = {},
  ): Promise<Rollout> {
    const request = { ...this.#rolloutOf(definition, options), settings: rolloutSettings(rollout, 'updateRollout') };
    const send = (call: CallOptions) => this.#rollouts.updateRollout(request, call);
    const response = await this.calls.make('updateRollout', options, send, rolloutOptions);
    return present(response.rollout, 'roll-out');
  }

  /**
   * Ends an open roll-out: all new jobs take the new version. Promoting twice is no error.
   *
   * @throws MusterError NOT_FOUND (ROLLOUT_NOT_FOUND); FAILED_PRECONDITION (ROLLOUT_ENDED).
   */
  async promoteRollout(definition: string, options: RolloutRef & RequestOptions = {}): Promise<Rollout> {
    const request = this.#rolloutOf(definition, options);
    const send = (call: CallOptions) => this.#rollouts.promoteRollout(request, call);
    const response = await this.calls.make('promoteRollout', options, send, rolloutOptions);
    return present(response.rollout, 'roll-out');
  }

  /**
   * Ends an open roll-out: all new jobs take the version before it again. Jobs of the new version stay as they are.
   * Rolling back twice is no error.
   *
   * @param reason Reason, shown to operators. At most 256 characters.
   * @throws MusterError NOT_FOUND (ROLLOUT_NOT_FOUND); FAILED_PRECONDITION (ROLLOUT_ENDED).
   */
  async rollBackRollout(definition: string, reason = '', options: RolloutRef & RequestOptions = {}): Promise<Rollout> {
    const request = { ...this.#rolloutOf(definition, options), reason };
    const send = (call: CallOptions) => this.#rollouts.rollBackRollout(request, call);
    const response = await this.calls.make('rollBackRollout', options, send, rolloutOptions);
    return present(response.rollout, 'roll-out');
  }

  /**
   * Lists a page of circuit breakers by name. Only breakers that have counted a failure are listed.
   *
   * @throws MusterError INVALID_ARGUMENT when the page token belongs to another list.
   */
  async listCircuitBreakers(
    page: PageOptions = {},
    options: RequestOptions = {},
  ): Promise<ListCircuitBreakersResponse> {
    const request = this.calls.page('listCircuitBreakers', page);
    return this.calls.make('listCircuitBreakers', options, (call) => this.#breakers.listCircuitBreakers(request, call));
  }

  /**
   * Closes a circuit breaker manually and returns it. Its jobs continue at once. Closing a closed breaker is no error.
   *
   * @throws MusterError NOT_FOUND when no breaker of this name has counted a failure.
   */
  async closeCircuitBreaker(name: string, options: RequestOptions = {}): Promise<CircuitBreakerStatus> {
    const response = await this.calls.make('closeCircuitBreaker', options, (call) =>
      this.#breakers.closeCircuitBreaker(this.#named(name, options), call),
    );
    return present(response.circuitBreaker, 'circuit breaker');
  }

  /**
   * Creates a queue. This is optional: the first job that is submitted to a queue creates it.
   *
   * @throws MusterError ALREADY_EXISTS (QUEUE_EXISTS).
   */
  async createQueue(name: string, queue: QueueChange = {}, options: RequestOptions = {}): Promise<Queue> {
    const request = {
      ...queueChange('createQueue', this.calls.namespace, name, queue),
      requestId: options.requestId ?? newUuid(),
    };
    const { updateMask: _, ...creation } = request;
    const response = await this.calls.make('createQueue', options, (call) => this.#queues.createQueue(creation, call));
    return present(response.queue, 'queue');
  }

  /**
   * Reads a queue. `counts` has its open jobs by state, as of a moment ago.
   *
   * @throws MusterError NOT_FOUND (QUEUE_NOT_FOUND).
   */
  async getQueue(name: string, options: RequestOptions = {}): Promise<Queue> {
    const request = { namespace: this.calls.namespace, name };
    return present(
      (await this.calls.make('getQueue', options, (call) => this.#queues.getQueue(request, call))).queue,
      'queue',
    );
  }

  /** Lists a page of the queues by name. */
  async listQueues(page: PageOptions = {}, options: RequestOptions = {}): Promise<ListQueuesResponse> {
    const request = this.calls.page('listQueues', page);
    return this.calls.make('listQueues', options, (call) => this.#queues.listQueues(request, call));
  }

  /**
   * Changes a queue and returns it. Omitted fields stay unchanged.
   *
   * @throws MusterError NOT_FOUND; ABORTED (ETAG_STALE) when the queue has changed since `etag` was read.
   */
  async updateQueue(name: string, change: QueueChange, options: RequestOptions = {}): Promise<Queue> {
    const request = {
      ...queueChange('updateQueue', this.calls.namespace, name, change),
      requestId: options.requestId ?? newUuid(),
    };
    return present(
      (await this.calls.make('updateQueue', options, (call) => this.#queues.updateQueue(request, call))).queue,
      'queue',
    );
  }

  /**
   * Stops assigning jobs of a queue until it is resumed. Running jobs continue, or with `running` are asked to stop: then
   * their attempts do not count, and the jobs wait in their old places. Pausing twice is no error.
   *
   * @param reason Reason, shown to operators. At most 256 characters.
   * @throws MusterError NOT_FOUND.
   */
  async pauseQueue(name: string, reason = '', options: PauseQueueOptions = {}): Promise<Queue> {
    const { running = false, graceMs } = options;
    const grace = graceMs === undefined ? {} : { grace: durationFromMs(graceMs) };
    const request = { ...this.#named(name, options), reason, running, ...grace };
    const send = (call: CallOptions) => this.#queues.pauseQueue(request, call);
    return present((await this.calls.make('pauseQueue', options, send, pauseQueueOptions)).queue, 'queue');
  }

  /** Resumes a paused queue. Resuming twice is no error. */
  async resumeQueue(name: string, options: RequestOptions = {}): Promise<Queue> {
    const request = this.#named(name, options);
    return present(
      (await this.calls.make('resumeQueue', options, (call) => this.#queues.resumeQueue(request, call))).queue,
      'queue',
    );
  }

  /**
   * Deletes a queue that has no open jobs.
   *
   * @throws MusterError NOT_FOUND; FAILED_PRECONDITION (QUEUE_NOT_EMPTY).
   */
  async deleteQueue(name: string, options: RequestOptions = {}): Promise<void> {
    const request = this.#named(name, options);
    await this.calls.make('deleteQueue', options, (call) => this.#queues.deleteQueue(request, call));
  }

  /** Lists a page of the workers whose session is open or closing. */
  async listWorkers(page: PageOptions = {}, options: RequestOptions = {}): Promise<ListWorkersResponse> {
    const request = this.calls.page('listWorkers', page);
    return this.calls.make('listWorkers', options, (call) => this.#workers.listWorkers(request, call));
  }

  /**
   * Reads a worker by the UUID of its session, with at most 1,000 of the attempts that it holds. A worker whose session
   * is closed is found as long as its record is kept.
   *
   * @throws MusterError NOT_FOUND (SESSION_NOT_FOUND).
   */
  getWorker(sessionId: string, options: RequestOptions = {}): Promise<GetWorkerResponse> {
    const request = { namespace: this.calls.namespace, sessionId };
    return this.calls.make('getWorker', options, (call) => this.#workers.getWorker(request, call));
  }

  /**
   * Asks a worker to finish its jobs and to stop. Once this call returns, nothing more is assigned to the worker.
   *
   * @throws MusterError NOT_FOUND; FAILED_PRECONDITION (SESSION_CLOSED) when its session ended before it was drained.
   */
  async drainWorker(sessionId: string, options: RequestOptions = {}): Promise<Worker> {
    const { namespace } = this.calls;
    const request = { namespace, sessionId, requestId: options.requestId ?? newUuid() };
    return present(
      (await this.calls.make('drainWorker', options, (call) => this.#workers.drainWorker(request, call))).worker,
      'worker',
    );
  }

  /** Reads the settings of the client's namespace. */
  async getNamespace(options: RequestOptions = {}): Promise<Namespace> {
    const request = { namespace: this.calls.namespace };
    const response = await this.calls.make('getNamespace', options, (call) =>
      this.#namespaces.getNamespace(request, call),
    );
    return present(response.namespace, 'namespace');
  }

  /** Changes the settings of the client's namespace and returns them. Omitted fields stay unchanged. */
  async updateNamespace(change: NamespaceChange, options: RequestOptions = {}): Promise<Namespace> {
    const request = { ...namespaceChange(this.calls.namespace, change), requestId: options.requestId ?? newUuid() };
    const response = await this.calls.make('updateNamespace', options, (call) =>
      this.#namespaces.updateNamespace(request, call),
    );
    return present(response.namespace, 'namespace');
  }

  /** Closes the connection. Calls in progress fail. */
  close(): void {
    this.calls.channel.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #apply(
    call: ApplyCall,
    definition: DefinitionInit | TypedJob,
    options: ApplyOptions,
  ): Promise<ApplyJobDefinitionResponse> {
    const { rollout, requestId = newUuid() } = options;
    const init = isTypedJob(definition) ? definition.definition : definition;
    const request = {
      definition: definitionMessage(init, this.calls.namespace, call),
      validateOnly: call === 'checkDefinition',
      requestId,
      ...(rollout === undefined ? {} : { rollout: rolloutSettings(rollout, within(call, 'rollout')) }),
    };
    const send = (callOptions: CallOptions) => this.#definitions.applyJobDefinition(request, callOptions);
    return this.calls.make(call, options, send, applyOptions);
  }

  #named(name: string, { requestId = newUuid() }: RequestOptions) {
    return { namespace: this.calls.namespace, name, requestId };
  }
  #rolloutOf(definition: string, { version = 0, requestId = newUuid() }: RolloutRef & RequestOptions) {
    return { namespace: this.calls.namespace, definition, version, requestId };
  }
}
