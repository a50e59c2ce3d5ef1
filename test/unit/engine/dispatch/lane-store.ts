import { definitionDefaults, type JobDefinition } from '../../../../server/domain/definitions/definition.ts';
import type { LaneKey } from '../../../../server/domain/dispatch/placement.ts';
import type { Lane } from '../../../../server/engine/ports/lanes.ts';

/** A store with lanes only. It counts calls. */
export class LaneStore {
  readonly lanes = new Map<string, Lane>();
  reads = 0;
  makes = 0;
  failing = false;

  async ensureLane(key: LaneKey): Promise<number> {
    this.makes++;
    if (this.failing) throw Object.assign(new Error('gone'), { code: '57P01' });
    const text = JSON.stringify(key);
    const lane = this.lanes.get(text) ?? { ...key, laneId: this.lanes.size + 1, limited: false };
    this.lanes.set(text, lane);
    return lane.laneId;
  }

  async findLane(key: LaneKey): Promise<number | undefined> {
    return this.lanes.get(JSON.stringify(key))?.laneId;
  }

  async readLanes(laneIds: readonly number[]): Promise<Lane[]> {
    this.reads++;
    if (this.failing) throw Object.assign(new Error('gone'), { code: '57P01' });
    return [...this.lanes.values()].filter((lane) => laneIds.includes(lane.laneId));
  }

  async readDefinition(namespace: string, name: string, version: number): Promise<JobDefinition> {
    return {
      ...definitionDefaults,
      namespace,
      name,
      version,
      handler: name,
      leaseLossAction: 'ABORT',
      demands: { labels: {} },
      priority: 0,
      description: '',
      labels: {},
      createTimeUs: 0,
    };
  }

  together(): never {
    throw new Error('nothing is done together here');
  }

  findDefinition(): never {
    throw new Error('nothing is found by its content here');
  }

  applyDefinition(): never {
    throw new Error('nothing is applied here');
  }

  listDefinitions(): never {
    throw new Error('nothing is listed here');
  }

  archiveDefinition(): never {
    throw new Error('nothing is archived here');
  }
}
