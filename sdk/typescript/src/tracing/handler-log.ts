/** Emits what handlers log as OpenTelemetry log records, if the application has set up a logger provider. */
import type { Attributes, Context, Logger } from '@opentelemetry/api';
import { context, logs, SeverityNumber, trace } from '@opentelemetry/api';
import type { LogLevel } from '../logger.ts';
import type { LogLine } from '../worker/core/sessions/log-tail.ts';
import { SDK } from '../worker/sdk-version.ts';
import type { StartedAttempt } from '../worker/thread/starts.ts';
import { attemptAttributes, attemptContext, type HandlerSpan } from './handler-span.ts';

const severities = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
} satisfies Record<LogLevel, SeverityNumber>;

type Fields = Readonly<Record<string, unknown>>;

export class HandlerLog {
  readonly #logger: Logger = logs.getLogger(SDK.name, SDK.version);
  readonly #attempt: StartedAttempt;
  readonly #span: HandlerSpan | undefined;
  #attributes: Attributes | undefined;
  #outside: Context | undefined;

  constructor(attempt: StartedAttempt, span: HandlerSpan | undefined) {
    this.#attempt = attempt;
    this.#span = span;
  }

  /** Whether anything consumes records of this level. If not, none needs to be made. */
  wants(level: LogLevel): boolean {
    return this.#logger.enabled({ severityNumber: severities[level] });
  }

  /**
   * @param fields The fields before their conversion to text: numbers, booleans and the first error keep their type.
   */
  emit({ level, timeMs, message, fields: texts }: LogLine, fields: Fields = {}): void {
    this.#attributes ??= attemptAttributes(this.#attempt);
    const entries = Object.entries(texts).map(([key, text]) => [key, plain(fields[key]) ?? text] as const);
    const exception = Object.values(fields).find((value) => value instanceof Error);
    this.#logger.emit({
      timestamp: timeMs,
      severityNumber: severities[level],
      severityText: level.toUpperCase(),
      body: message,
      attributes: { ...Object.fromEntries(entries), ...exceptionAttributes(exception), ...this.#attributes },
      context: this.#context,
    });
  }

  /** The active span's context, also of a span that the handler made; outside any span, the attempt's. */
  get #context(): Context {
    const active = context.active();
    if (trace.getSpanContext(active)) return active;
    this.#outside ??= this.#span?.context ?? attemptContext(this.#attempt);
    return this.#outside;
  }
}

function plain(value: unknown): number | boolean | undefined {
  return typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}

function exceptionAttributes(error: unknown): Attributes {
  if (!(error instanceof Error)) return {};
  return {
    'exception.type': error.name,
    'exception.message': error.message,
    ...(error.stack !== undefined && { 'exception.stacktrace': error.stack }),
  };
}
