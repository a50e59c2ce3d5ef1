/** Options for a job's demands on its worker. */
import { create } from '@bufbuild/protobuf';
import { type Demands, DemandsSchema, type Sticky, StickyMode, StickySchema } from '@muster-jobs/sdk/grpc';

export interface PlacementOptions {
  readonly require?: Readonly<Record<string, string>>;
  readonly requireThat?: string;
  readonly prefer?: string;
  readonly demand?: Readonly<Record<string, number>>;
  readonly sticky?: string;
  readonly stickyHard?: string;
}

/** Without any demand the definition's demands apply; any demand replaces all of those. */
export function placementOf(options: PlacementOptions): { demands?: Demands; sticky?: Sticky } {
  const { require, requireThat = '', prefer = '', demand, sticky, stickyHard } = options;
  const hasDemands = require !== undefined || demand !== undefined || requireThat !== '' || prefer !== '';
  const demands = { labels: { ...require }, resources: { ...demand }, required: requireThat, preferred: prefer };
  const jobId = stickyHard ?? sticky;
  const mode = stickyHard === undefined ? StickyMode.SOFT : StickyMode.HARD;
  return {
    ...(hasDemands ? { demands: create(DemandsSchema, demands) } : {}),
    ...(jobId === undefined ? {} : { sticky: create(StickySchema, { jobId, mode }) }),
  };
}
