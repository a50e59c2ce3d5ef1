/** How a service of the contract is implemented: one handler for each of its RPCs, whatever the transport. */
import type { DescService, MessageShape } from '@bufbuild/protobuf';
import type { GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import type { Replica } from '../engine/replica.ts';
import { AuditService } from '../gen/muster/v1/audit_service_pb.ts';
import { BatchService } from '../gen/muster/v1/batch_service_pb.ts';
import { EventService } from '../gen/muster/v1/event_service_pb.ts';
import { JobDefinitionService } from '../gen/muster/v1/job_definition_service_pb.ts';
import { JobService } from '../gen/muster/v1/job_service_pb.ts';
import { NamespaceService } from '../gen/muster/v1/namespace_service_pb.ts';
import { QueueService } from '../gen/muster/v1/queue_service_pb.ts';
import { ScheduleService } from '../gen/muster/v1/schedule_service_pb.ts';
import { SessionService } from '../gen/muster/v1/session_service_pb.ts';
import { WaitService } from '../gen/muster/v1/wait_service_pb.ts';
import { WorkerService } from '../gen/muster/v1/worker_service_pb.ts';
import { WorkflowService } from '../gen/muster/v1/workflow_service_pb.ts';
import type { Handler, StreamHandler } from './context.ts';
import { auditService } from './services/audit.ts';
import { batchService } from './services/batches.ts';
import { definitionService } from './services/definitions.ts';
import { eventService } from './services/events.ts';
import { jobService } from './services/jobs.ts';
import { namespaceService } from './services/namespaces.ts';
import { queueService } from './services/queues.ts';
import { scheduleService } from './services/schedules.ts';
import { sessionService } from './services/sessions.ts';
import { waitService } from './services/waits.ts';
import { workerService } from './services/workers.ts';
import { workflowService } from './services/workflows.ts';

export type Implementation<S extends DescService> = S extends { method: infer M extends GenServiceMethods }
  ? {
      [K in keyof M]: M[K]['methodKind'] extends 'server_streaming'
        ? StreamHandler<MessageShape<M[K]['input']>, MessageShape<M[K]['output']>>
        : Handler<MessageShape<M[K]['input']>, MessageShape<M[K]['output']>>;
    }
  : never;

export interface ServiceBinding {
  readonly service: DescService;
  // biome-ignore lint/suspicious/noExplicitAny: the binding of a service to its handlers is checked where it is made
  readonly handlers: Record<string, Handler<any, any> | StreamHandler<any, any>>;
}

function bind<S extends DescService>(service: S, handlers: Implementation<S>): ServiceBinding {
  return { service, handlers: handlers as ServiceBinding['handlers'] };
}

/** Every service of the contract. */
export function services(replica: Replica): ServiceBinding[] {
  return [
    bind(JobDefinitionService, definitionService(replica)),
    bind(JobService, jobService(replica)),
    bind(AuditService, auditService(replica)),
    bind(BatchService, batchService(replica)),
    bind(EventService, eventService(replica)),
    bind(NamespaceService, namespaceService(replica)),
    bind(QueueService, queueService(replica)),
    bind(ScheduleService, scheduleService(replica)),
    bind(SessionService, sessionService(replica)),
    bind(WaitService, waitService(replica)),
    bind(WorkerService, workerService(replica)),
    bind(WorkflowService, workflowService(replica)),
  ];
}

/**
 * Those that are served to browsers. Workers speak gRPC: a session is opened with credentials for the bus in hand, and those
 * are nothing for a web page.
 */
export function webServices(bindings: readonly ServiceBinding[]): ServiceBinding[] {
  return bindings.filter(({ service }) => service !== SessionService);
}
