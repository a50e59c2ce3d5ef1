/** QueueService: none of it yet; queues are made on first use. */
import type { QueueService } from '../../gen/muster/v1/queue_service_pb.ts';
import type { Implementation } from '../service.ts';
import { notImplemented } from '../status.ts';

export function queueService(): Implementation<typeof QueueService> {
  const later = async () => {
    throw notImplemented('QueueService: queues as resources');
  };
  return {
    createQueue: later,
    getQueue: later,
    listQueues: later,
    updateQueue: later,
    pauseQueue: later,
    resumeQueue: later,
    deleteQueue: later,
  };
}
