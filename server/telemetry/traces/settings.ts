/** OpenTelemetry's standard variables for the control plane's traces. */
import type { Sampling } from '../../domain/events/trace.ts';
import { type Environment, isDisabled } from '../otel-environment.ts';

/** Whether spans are exported: an endpoint is set, and nothing disables the export. */
export function sendsSpans(env: Environment): boolean {
  if (isDisabled(env)) return false;
  if (env.OTEL_TRACES_EXPORTER?.trim() === 'none') return false;
  return Boolean(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT);
}

const samplers: Readonly<Record<string, (ratio: number) => Sampling>> = {
  always_on: () => ({ followsCaller: false, ratio: 1 }),
  always_off: () => ({ followsCaller: false, ratio: 0 }),
  traceidratio: (ratio) => ({ followsCaller: false, ratio }),
  parentbased_always_on: () => ({ followsCaller: true, ratio: 1 }),
  parentbased_always_off: () => ({ followsCaller: true, ratio: 0 }),
  parentbased_traceidratio: (ratio) => ({ followsCaller: true, ratio }),
};

/** @throws Error that names the variable and its allowed values. */
export function samplingOf(env: Environment): Sampling {
  const name = env.OTEL_TRACES_SAMPLER?.trim() || 'parentbased_always_on';
  const sampler = samplers[name];
  if (!sampler)
    throw new Error(`OTEL_TRACES_SAMPLER is "${name}": it may be ${Object.keys(samplers).join(', ')}, or left out`);
  const ratio = Number(env.OTEL_TRACES_SAMPLER_ARG?.trim() || 1);
  if (name.endsWith('traceidratio') && !(ratio >= 0 && ratio <= 1))
    throw new Error(
      `OTEL_TRACES_SAMPLER_ARG is "${env.OTEL_TRACES_SAMPLER_ARG}": it is a share from 0 to 1, such as 0.05`,
    );
  return sampler(ratio);
}
