/** OpenTelemetry variables that apply to all signals. */

export type Environment = Readonly<Record<string, string | undefined>>;

export function isDisabled(env: Environment): boolean {
  return env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true';
}

const PROTOCOL = 'http/protobuf';

/**
 * The variable of the signal has precedence over the general one.
 *
 * @param what The exported things, for messages, such as `spans`.
 * @throws Error that names the variable and its allowed values.
 */
export function checkProtocol(env: Environment, signal: 'TRACES' | 'METRICS', what: string): void {
  const names = [`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`, 'OTEL_EXPORTER_OTLP_PROTOCOL'];
  const name = names.find((one) => env[one]?.trim());
  const protocol = name && env[name]?.trim();
  if (!protocol || protocol === PROTOCOL) return;
  throw new Error(`${name} is "${protocol}": ${what} go out as ${PROTOCOL} only; set that, or leave it out`);
}
