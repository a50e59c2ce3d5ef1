/** Names of log levels. */
import { LogLevel, LogLevelSchema } from '@muster-jobs/sdk/grpc';

export const levels: readonly string[] = ['debug', 'info', 'warn', 'error'];

export function levelName(level: LogLevel): string {
  return LogLevelSchema.value[level]?.localName ?? String(level);
}

/** Whether a record has at least this level; `least` is a level, or undefined for all. */
export function meetsLevel(level: LogLevel, least: string | undefined): boolean {
  return least === undefined || level >= levels.indexOf(least) + LogLevel.DEBUG;
}
