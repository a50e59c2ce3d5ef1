/** Converts demands between the contract and the core. */
import { create } from '@bufbuild/protobuf';
import {
  DemandsSchema,
  MemoryGrowthSchema,
  StickyMode,
  type Demands as WireDemands,
  type MemoryGrowth as WireGrowth,
  type Sticky as WireSticky,
} from '@muster-jobs/sdk/gen/muster/v1/placement_pb';
import { isUuid } from '../../domain/base/uuid.ts';
import type { Demands, MemoryGrowth, StickyTo } from '../../domain/dispatch/demands.ts';
import { compileLabels } from '../../domain/dispatch/label-expression.ts';
import { MEMORY } from '../../domain/dispatch/resources.ts';
import { checkAmount, checkDemanded } from '../base/check-amounts.ts';
import { checkLabels } from '../base/checks.ts';
import { sortedMap } from '../base/sorted-map.ts';
import type { Violations } from '../base/violations.ts';

const MAX_LABELS = 16;
const MAX_FACTOR = 10;

type Field = (name: string) => string;

export function demandsFrom(wire: WireDemands | undefined, path: string, violations: Violations): Demands | undefined {
  if (!wire) return undefined;
  const field: Field = (name) => `${path}.${name}`;
  checkLabels(wire.labels, MAX_LABELS, field('labels'), violations);
  checkDemanded(wire.resources, field('resources'), violations);
  for (const name of ['required', 'preferred'] as const) checkExpression(wire[name], field(name), violations);
  const memoryGrowth = growthFrom(wire, field('memory_growth'), violations);
  return {
    labels: sortedMap(wire.labels),
    ...(Object.keys(wire.resources).length > 0 ? { resources: sortedMap(wire.resources) } : {}),
    ...(wire.required ? { required: wire.required } : {}),
    ...(wire.preferred ? { preferred: wire.preferred } : {}),
    ...(memoryGrowth ? { memoryGrowth } : {}),
  };
}

function checkExpression(text: string, field: string, violations: Violations): void {
  if (text === '') return;
  const compiled = compileLabels(text);
  if ('problem' in compiled) violations.add(field, compiled.problem);
}

function growthFrom(
  { memoryGrowth, resources }: WireDemands,
  field: string,
  violations: Violations,
): MemoryGrowth | undefined {
  if (!memoryGrowth) return undefined;
  const { factor, max } = memoryGrowth;
  violations.check(
    factor > 1 && factor <= MAX_FACTOR,
    `${field}.factor`,
    `is ${factor}; must be above 1, at most ${MAX_FACTOR}`,
  );
  const memory = Object.hasOwn(resources, MEMORY) ? resources[MEMORY] : undefined;
  if (memory === undefined) violations.add(field, `sets the growth of "${MEMORY}", but resources demands none`);
  else checkAmount(max, memory, `${field}.max`, violations);
  return { factor, max };
}

export function demandsTo({ labels, resources = {}, required, preferred, memoryGrowth }: Demands): WireDemands {
  return create(DemandsSchema, {
    labels: { ...labels },
    resources: { ...resources },
    required: required ?? '',
    preferred: preferred ?? '',
    ...(memoryGrowth ? { memoryGrowth: growthTo(memoryGrowth) } : {}),
  });
}

function growthTo(growth: MemoryGrowth): WireGrowth {
  return create(MemoryGrowthSchema, growth);
}

const modes: Record<StickyMode, StickyTo['mode']> = {
  [StickyMode.UNSPECIFIED]: 'SOFT',
  [StickyMode.SOFT]: 'SOFT',
  [StickyMode.HARD]: 'HARD',
};

export function stickyFrom(wire: WireSticky | undefined, path: string, violations: Violations): StickyTo | undefined {
  if (!wire) return undefined;
  violations.check(isUuid(wire.jobId), `${path}.job_id`, 'must be a UUID as SubmitJob returned it');
  const mode = modes[wire.mode];
  if (!mode) violations.add(`${path}.mode`, `has the unknown value ${wire.mode}`);
  return { jobId: wire.jobId.toLowerCase(), mode: mode ?? 'SOFT' };
}
