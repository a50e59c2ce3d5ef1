/** What can be asked of definitions, queues, workers, circuit breakers and the namespace, of schedules, workflows, batches and waits. */
import { randomUUID } from 'node:crypto';
import type { JobDefinition } from '../gen/muster/v1/job_definition_pb.ts';
import type {
  ApplyJobDefinitionResponse,
  CircuitBreakerStatus,
  ListCircuitBreakersResponse,
  ListJobDefinitionsResponse,
} from '../gen/muster/v1/job_definition_service_pb.ts';
import { JobDefinitionService } from '../gen/muster/v1/job_definition_service_pb.ts';
import type { Namespace } from '../gen/muster/v1/namespace_pb.ts';
import { NamespaceService } from '../gen/muster/v1/namespace_service_pb.ts';
import type { Queue } from '../gen/muster/v1/queue_pb.ts';
import type { ListQueuesResponse } from '../gen/muster/v1/queue_service_pb.ts';
import { QueueService } from '../gen/muster/v1/queue_service_pb.ts';
import type { Worker } from '../gen/muster/v1/worker_pb.ts';
import type { GetWorkerResponse, ListWorkersResponse } from '../gen/muster/v1/worker_service_pb.ts';
import { WorkerService } from '../gen/muster/v1/worker_service_pb.ts';
import type { UnaryClient } from '../transport/unary-client.ts';
import { unaryClient } from '../transport/unary-client.ts';
import type { ClientOptions, PageOptions, RequestOptions } from './calls.ts';
import { present } from './calls.ts';
import type { DefinitionInit } from './definition.ts';
import { definitionMessage } from './definition.ts';
import type { NamespaceChange, QueueChange } from './settings.ts';
import { namespaceChange, queueChange } from './settings.ts';
import { WaitClient } from './wait-client.ts';

export class AdminClient extends WaitClient {
  readonly #definitions: UnaryClient<(typeof JobDefinitionService)['method']>;
  readonly #queues: UnaryClient<(typeof QueueService)['method']>;
  readonly #workers: UnaryClient<(typeof WorkerService)['method']>;
  readonly #namespaces: UnaryClient<(typeof NamespaceService)['method']>;

  constructor(options: ClientOptions) {
    super(options);
    const { channel } = this.calls;
    this.#definitions = unaryClient(channel, JobDefinitionService);
    this.#queues = unaryClient(channel, QueueService);
    this.#workers = unaryClient(channel, WorkerService);
    this.#namespaces = unaryClient(channel, NamespaceService);
  }

  /** Stores a definition as a new version; the same content again gives the version that is there. */
  async applyDefinition(definition: DefinitionInit, options: RequestOptions = {}): Promise<JobDefinition> {
    return present((await this.#apply(definition, false, options)).definition, 'definition');
  }

  /**
   * Stores nothing, and answers what `applyDefinition` would store: whether it is a new version (`created`), what differs
   * from the newest one (`differences`, values as JSON), and what may break for jobs in flight and connected workers
   * (`issues`).
   *
   * @throws MusterError INVALID_ARGUMENT as `applyDefinition` would.
   */
  checkDefinition(definition: DefinitionInit, options: RequestOptions = {}): Promise<ApplyJobDefinitionResponse> {
    return this.#apply(definition, true, options);
  }

  /** Reads a definition. `version` 0: the newest. */
  async getDefinition(name: string, version = 0, options: RequestOptions = {}): Promise<JobDefinition> {
    const request = { namespace: this.calls.namespace, name, version };
    const response = await this.calls.make(options, (call) => this.#definitions.getJobDefinition(request, call));
    return present(response.definition, 'definition');
  }

  /** Lists a page of definitions by name, each in its newest version; archived ones only if asked for. */
  listDefinitions(
    page: PageOptions & { readonly showArchived?: boolean } = {},
    options: RequestOptions = {},
  ): Promise<ListJobDefinitionsResponse> {
    const request = { namespace: this.calls.namespace, ...page };
    return this.calls.make(options, (call) => this.#definitions.listJobDefinitions(request, call));
  }

  /** Refuses new jobs of a definition; those that exist go on. Applying it again, also unchanged, brings it back. */
  async archiveDefinition(name: string, options: RequestOptions = {}): Promise<JobDefinition> {
    const request = { namespace: this.calls.namespace, name, requestId: options.requestId ?? randomUUID() };
    const response = await this.calls.make(options, (call) => this.#definitions.archiveJobDefinition(request, call));
    return present(response.definition, 'definition');
  }

  /**
   * Lists a page of the circuit breakers by name: those that a failure has been counted at.
   *
   * @throws MusterError INVALID_ARGUMENT when the token is of another list.
   */
  listCircuitBreakers(page: PageOptions = {}, options: RequestOptions = {}): Promise<ListCircuitBreakersResponse> {
    const request = { namespace: this.calls.namespace, ...page };
    return this.calls.make(options, (call) => this.#definitions.listCircuitBreakers(request, call));
  }

  /**
   * Closes a circuit breaker by hand and answers it: its jobs go on at once. Closing a closed one is no error.
   *
   * @throws MusterError NOT_FOUND when no failure has been counted at one of this name.
   */
  async closeCircuitBreaker(name: string, options: RequestOptions = {}): Promise<CircuitBreakerStatus> {
    const response = await this.calls.make(options, (call) =>
      this.#definitions.closeCircuitBreaker(this.#named(name, options), call),
    );
    return present(response.circuitBreaker, 'circuit breaker');
  }

  /**
   * Makes a queue. There is no need to: a queue is made by the first job that waits in it.
   *
   * @throws MusterError ALREADY_EXISTS (QUEUE_EXISTS).
   */
  async createQueue(name: string, queue: QueueChange = {}, options: RequestOptions = {}): Promise<Queue> {
    const request = { ...queueChange(this.calls.namespace, name, queue), requestId: options.requestId ?? randomUUID() };
    const { updateMask: _, ...creation } = request;
    const response = await this.calls.make(options, (call) => this.#queues.createQueue(creation, call));
    return present(response.queue, 'queue');
  }

  /**
   * Reads a queue, with its open jobs by state as they were a moment ago in `counts`.
   *
   * @throws MusterError NOT_FOUND (QUEUE_NOT_FOUND).
   */
  async getQueue(name: string, options: RequestOptions = {}): Promise<Queue> {
    const request = { namespace: this.calls.namespace, name };
    return present((await this.calls.make(options, (call) => this.#queues.getQueue(request, call))).queue, 'queue');
  }

  /** Lists a page of the queues by name. */
  listQueues(page: PageOptions = {}, options: RequestOptions = {}): Promise<ListQueuesResponse> {
    const request = { namespace: this.calls.namespace, ...page };
    return this.calls.make(options, (call) => this.#queues.listQueues(request, call));
  }

  /**
   * Changes a queue and answers it; what is left out stays as it is.
   *
   * @throws MusterError NOT_FOUND; ABORTED (ETAG_STALE) when somebody has changed it since `etag` was read.
   */
  async updateQueue(name: string, change: QueueChange, options: RequestOptions = {}): Promise<Queue> {
    const request = {
      ...queueChange(this.calls.namespace, name, change),
      requestId: options.requestId ?? randomUUID(),
    };
    return present((await this.calls.make(options, (call) => this.#queues.updateQueue(request, call))).queue, 'queue');
  }

  /**
   * Assigns no more jobs of a queue until it is resumed; those that run go on. Pausing twice is no error.
   *
   * @param reason Why, for people. At most 256 characters.
   * @throws MusterError NOT_FOUND.
   */
  async pauseQueue(name: string, reason = '', options: RequestOptions = {}): Promise<Queue> {
    const request = { ...this.#named(name, options), reason };
    return present((await this.calls.make(options, (call) => this.#queues.pauseQueue(request, call))).queue, 'queue');
  }

  /** Lets a paused queue go on. Resuming twice is no error. */
  async resumeQueue(name: string, options: RequestOptions = {}): Promise<Queue> {
    const request = this.#named(name, options);
    return present((await this.calls.make(options, (call) => this.#queues.resumeQueue(request, call))).queue, 'queue');
  }

  /**
   * Deletes a queue that has no open jobs.
   *
   * @throws MusterError NOT_FOUND; FAILED_PRECONDITION (QUEUE_NOT_EMPTY).
   */
  async deleteQueue(name: string, options: RequestOptions = {}): Promise<void> {
    const request = this.#named(name, options);
    await this.calls.make(options, (call) => this.#queues.deleteQueue(request, call));
  }

  /** Lists a page of the workers whose session is open or closing. */
  listWorkers(page: PageOptions = {}, options: RequestOptions = {}): Promise<ListWorkersResponse> {
    const request = { namespace: this.calls.namespace, ...page };
    return this.calls.make(options, (call) => this.#workers.listWorkers(request, call));
  }

  /**
   * Reads a worker by its session's UUID, with the attempts that it holds, at most 1,000. One whose session is closed is
   * found, too, for as long as its record is kept.
   *
   * @throws MusterError NOT_FOUND (SESSION_NOT_FOUND).
   */
  getWorker(sessionId: string, options: RequestOptions = {}): Promise<GetWorkerResponse> {
    const request = { namespace: this.calls.namespace, sessionId };
    return this.calls.make(options, (call) => this.#workers.getWorker(request, call));
  }

  /**
   * Asks a worker to finish what it holds and to end. Nothing is assigned to it any more once this has answered.
   *
   * @throws MusterError NOT_FOUND; FAILED_PRECONDITION (SESSION_CLOSED) when it had ended without being asked to.
   */
  async drainWorker(sessionId: string, options: RequestOptions = {}): Promise<Worker> {
    const { namespace } = this.calls;
    const request = { namespace, sessionId, requestId: options.requestId ?? randomUUID() };
    return present(
      (await this.calls.make(options, (call) => this.#workers.drainWorker(request, call))).worker,
      'worker',
    );
  }

  /** Reads what holds for all of the client's namespace. */
  async getNamespace(options: RequestOptions = {}): Promise<Namespace> {
    const request = { namespace: this.calls.namespace };
    const response = await this.calls.make(options, (call) => this.#namespaces.getNamespace(request, call));
    return present(response.namespace, 'namespace');
  }

  /** Changes what holds for all of the client's namespace, and answers it; what is left out stays as it is. */
  async updateNamespace(change: NamespaceChange, options: RequestOptions = {}): Promise<Namespace> {
    const request = { ...namespaceChange(this.calls.namespace, change), requestId: options.requestId ?? randomUUID() };
    const response = await this.calls.make(options, (call) => this.#namespaces.updateNamespace(request, call));
    return present(response.namespace, 'namespace');
  }

  /** Ends the connection; calls under way fail. */
  close(): void {
    this.calls.channel.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #apply(
    definition: DefinitionInit,
    validateOnly: boolean,
    options: RequestOptions,
  ): Promise<ApplyJobDefinitionResponse> {
    const request = {
      definition: definitionMessage(definition, this.calls.namespace),
      validateOnly,
      requestId: options.requestId ?? randomUUID(),
    };
    return this.calls.make(options, (call) => this.#definitions.applyJobDefinition(request, call));
  }

  #named(name: string, { requestId = randomUUID() }: RequestOptions) {
    return { namespace: this.calls.namespace, name, requestId };
  }
}
