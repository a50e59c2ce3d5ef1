/** How a service of the contract is implemented: one handler per RPC, whatever the transport. */
import type { DescService } from '@bufbuild/protobuf';
import { AssetService } from '@muster-jobs/sdk/gen/muster/v1/asset_service_pb';
import { AuditService } from '@muster-jobs/sdk/gen/muster/v1/audit_service_pb';
import { BatchService } from '@muster-jobs/sdk/gen/muster/v1/batch_service_pb';
import { CircuitBreakerService } from '@muster-jobs/sdk/gen/muster/v1/circuit_breaker_service_pb';
import { EventService } from '@muster-jobs/sdk/gen/muster/v1/event_service_pb';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { NamespaceService } from '@muster-jobs/sdk/gen/muster/v1/namespace_service_pb';
import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import { RolloutService } from '@muster-jobs/sdk/gen/muster/v1/rollout_service_pb';
import { ScheduleService } from '@muster-jobs/sdk/gen/muster/v1/schedule_service_pb';
import { SignalService } from '@muster-jobs/sdk/gen/muster/v1/signal_service_pb';
import { TriggerService } from '@muster-jobs/sdk/gen/muster/v1/trigger_service_pb';
import { WorkerService } from '@muster-jobs/sdk/gen/muster/v1/worker_service_pb';
import { WorkflowService } from '@muster-jobs/sdk/gen/muster/v1/workflow_service_pb';
import { SessionService } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import type { Replica } from '../engine/replica.ts';
import type { Handler, StreamHandler } from './base/context.ts';
import type { Implementation } from './base/implementation.ts';
import { batchService } from './batches/batches.ts';
import { definitionService } from './definitions/definitions.ts';
import { rolloutService } from './definitions/rollouts.ts';
import { assetService } from './dependencies/assets.ts';
import { eventService } from './events/events.ts';
import { jobService } from './jobs/jobs.ts';
import { auditService } from './namespaces/audit.ts';
import { namespaceService } from './namespaces/namespaces.ts';
import { queueService } from './queues/queues.ts';
import { circuitBreakerService } from './retries/circuit-breakers.ts';
import { scheduleService } from './schedules/schedules.ts';
import { sessionService } from './sessions/sessions.ts';
import { workerService } from './sessions/workers.ts';
import { signalService } from './signals/signals.ts';
import { triggerService } from './triggers/triggers.ts';
import { workflowService } from './workflows/workflows.ts';

export interface ServiceBinding {
  readonly service: DescService;
  // biome-ignore lint/suspicious/noExplicitAny: the binding of a service to its handlers is checked where it is made
  readonly handlers: Record<string, Handler<any, any> | StreamHandler<any, any>>;
}

function bind<S extends DescService>(service: S, handlers: Implementation<S>): ServiceBinding {
  return { service, handlers: handlers as ServiceBinding['handlers'] };
}

/** All services of the contract. */
export function services(replica: Replica): ServiceBinding[] {
  return [
    bind(JobDefinitionService, definitionService(replica)),
    bind(JobService, jobService(replica)),
    bind(AssetService, assetService(replica)),
    bind(AuditService, auditService(replica)),
    bind(BatchService, batchService(replica)),
    bind(CircuitBreakerService, circuitBreakerService(replica)),
    bind(EventService, eventService(replica)),
    bind(NamespaceService, namespaceService(replica)),
    bind(QueueService, queueService(replica)),
    bind(RolloutService, rolloutService(replica)),
    bind(ScheduleService, scheduleService(replica)),
    bind(SessionService, sessionService(replica)),
    bind(SignalService, signalService(replica)),
    bind(TriggerService, triggerService(replica)),
    bind(WorkerService, workerService(replica)),
    bind(WorkflowService, workflowService(replica)),
  ];
}

/**
 * The services for browsers. Workers speak gRPC only: a new session returns credentials for the bus, which a web page
 * can't use.
 */
export function webServices(bindings: readonly ServiceBinding[]): ServiceBinding[] {
  return bindings.filter(({ service }) => service !== SessionService);
}
