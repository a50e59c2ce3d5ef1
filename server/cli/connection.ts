/** The services of a Muster server, as commands call them. */
import type { DescMessage, DescMethodServerStreaming, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import {
  AssetService,
  AuditService,
  BatchService,
  type CallOptions,
  CircuitBreakerService,
  JobDefinitionService,
  JobService,
  NamespaceService,
  openChannel,
  QueueService,
  RolloutService,
  ScheduleService,
  SignalService,
  serverStream,
  type TransportRetry,
  TriggerService,
  type UnaryClient,
  unaryClient,
  WorkerService,
  WorkflowService,
  withRetry,
} from '@muster-jobs/sdk/grpc';
import type { Target } from './target.ts';

const CALL_MS = 15_000;
/** A person is waiting: an unreachable server is reported within a second. */
const RETRY: TransportRetry = { maxAttempts: 4, minBackoffMs: 100, maxBackoffMs: 500 };

type Calls<S> =
  S extends GenService<infer M extends GenServiceMethods>
    ? {
        readonly [K in keyof UnaryClient<M>]: (
          request: Parameters<UnaryClient<M>[K]>[0],
          options?: Partial<CallOptions>,
        ) => ReturnType<UnaryClient<M>[K]>;
      }
    : never;

/**
 * Every call fails with a `MusterError`, is bounded in time, and is repeated a few times while the server can't be
 * reached.
 */
export class Connection {
  readonly target: Target;
  readonly assets: Calls<typeof AssetService>;
  readonly audit: Calls<typeof AuditService>;
  readonly batches: Calls<typeof BatchService>;
  readonly breakers: Calls<typeof CircuitBreakerService>;
  readonly jobs: Calls<typeof JobService>;
  readonly definitions: Calls<typeof JobDefinitionService>;
  readonly namespaces: Calls<typeof NamespaceService>;
  readonly queues: Calls<typeof QueueService>;
  readonly rollouts: Calls<typeof RolloutService>;
  readonly schedules: Calls<typeof ScheduleService>;
  readonly signals: Calls<typeof SignalService>;
  readonly triggers: Calls<typeof TriggerService>;
  readonly workers: Calls<typeof WorkerService>;
  readonly workflows: Calls<typeof WorkflowService>;
  readonly #channel: ReturnType<typeof openChannel>;
  readonly #signal: AbortSignal;

  constructor(target: Target, signal: AbortSignal) {
    this.target = target;
    this.#signal = signal;
    this.#channel = openChannel(target.server);
    this.assets = this.#calls(AssetService);
    this.audit = this.#calls(AuditService);
    this.batches = this.#calls(BatchService);
    this.breakers = this.#calls(CircuitBreakerService);
    this.jobs = this.#calls(JobService);
    this.definitions = this.#calls(JobDefinitionService);
    this.namespaces = this.#calls(NamespaceService);
    this.queues = this.#calls(QueueService);
    this.rollouts = this.#calls(RolloutService);
    this.schedules = this.#calls(ScheduleService);
    this.signals = this.#calls(SignalService);
    this.triggers = this.#calls(TriggerService);
    this.workers = this.#calls(WorkerService);
    this.workflows = this.#calls(WorkflowService);
  }

  get namespace(): string {
    return this.target.namespace;
  }

  /** The messages of a stream, until it ends, fails, or the command is stopped. */
  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    signal = this.#signal,
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    return serverStream(this.#channel, method, request, signal);
  }

  close(): void {
    this.#channel.close();
  }

  #calls<M extends GenServiceMethods>(service: GenService<M>): Calls<GenService<M>> {
    const unary = unaryClient(this.#channel, service) as Record<
      string,
      (request: unknown, options: CallOptions) => unknown
    >;
    const calls = Object.entries(unary).map(([name, call]) => {
      const bounded = (request: unknown, { timeoutMs = CALL_MS, ...rest }: Partial<CallOptions> = {}) =>
        withRetry(RETRY, { timeoutMs, signal: this.#signal }, async (left) =>
          call(request, { signal: this.#signal, ...rest, timeoutMs: left }),
        );
      return [name, bounded] as const;
    });
    return Object.fromEntries(calls) as Calls<GenService<M>>;
  }
}
