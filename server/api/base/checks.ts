/**
 * Checks of fields that requests share: names, text, spans, times, labels, payloads. Each adds the violations that it
 * finds.
 */
import type { Duration, Timestamp } from '@bufbuild/protobuf/wkt';
import type { Payload as WirePayload } from '@muster-jobs/sdk/gen/muster/v1/payload_pb';
import { isDottedName } from '../../domain/base/dotted-name.ts';
import type { Payload } from '../../domain/base/payload.ts';
import { isUuid } from '../../domain/base/uuid.ts';
import { cutText } from './cut-text.ts';
import { sortedMap } from './sorted-map.ts';
import type { Violations } from './violations.ts';

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const STEP_NAME = /^[a-z][a-z0-9_]{0,62}$/;
export const LABEL_KEY = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/;
export const LABEL_KEY_RULE = 'must be 1 to 63 characters of A-Z, a-z, 0-9, ".", "_", "/" and "-"';
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are refused
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/** Control characters other than the whitespace of multi-line text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are refused
const CONTROL_IN_PROSE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;
const MAX_COUNTER = BigInt(Number.MAX_SAFE_INTEGER);
export const TEN_YEARS_MS = 315_576_000_000;
export const THIRTY_DAYS_MS = 30 * 86_400_000;
export const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/** Names that some file systems reserve for devices: a name may become a file's name. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/;

function checkReserved(name: string, field: string, violations: Violations): void {
  violations.check(!DEVICE.test(name), field, 'is the name of a device on some systems; choose another name');
  violations.check(
    !/^(sys|internal)-/.test(name),
    field,
    'begins with a reserved prefix (sys-, internal-); choose another name',
  );
}

/** The namespace; an empty one means "default". */
export function namespaceOf(value: string, violations: Violations, field = 'namespace'): string {
  const namespace = value || 'default';
  if (
    violations.check(
      NAME.test(namespace),
      field,
      'must be 1 to 63 characters of a-z, 0-9 and "-", beginning with a letter or digit',
    )
  ) {
    checkReserved(namespace, field, violations);
  }
  return namespace;
}

/** A name that becomes part of NATS subjects and metrics. */
export function checkName(value: string, field: string, violations: Violations): void {
  if (
    violations.check(
      NAME.test(value),
      field,
      'must be 1 to 63 characters of a-z, 0-9 and "-", beginning with a letter or digit',
    )
  )
    checkReserved(value, field, violations);
}

/** A name that may also contain dots and underscores. */
export function checkDottedName(value: string, field: string, violations: Violations): void {
  if (
    violations.check(
      isDottedName(value),
      field,
      'must be 1 to 63 characters of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit',
    )
  ) {
    checkReserved(value, field, violations);
  }
}

/** A single line of text. */
export function checkText(value: string, max: number, field: string, violations: Violations): void {
  violations.check(value.length <= max, field, `is ${value.length} characters long; at most ${max} are allowed`);
  violations.check(!CONTROL.test(value), field, 'has control characters; remove them');
}

/** Multi-line text. Counted in code points, as SDKs cut it. */
export function checkProse(value: string, max: number, field: string, violations: Violations): void {
  let length = 0;
  // Without a copy: the text may be as large as a request.
  for (const _ of value) length++;
  violations.check(length <= max, field, `is ${length} characters long; at most ${max} are allowed`);
  violations.check(!CONTROL_IN_PROSE.test(value), field, 'has control characters; remove them');
}

const MAX_TYPES = 64;

/** Failure types. */
export function checkTypes(types: readonly string[], field: string, violations: Violations): void {
  violations.check(types.length <= MAX_TYPES, field, `has more than ${MAX_TYPES} entries`);
  for (const type of types.slice(0, MAX_TYPES)) checkText(type, 256, field, violations);
}

/** Empty, or a UUID other than the nil UUID; the result is lower case, so that every spelling is the same id. */
export function requestIdOf(value: string, violations: Violations, field = 'request_id'): string {
  violations.check(
    value === '' || (isUuid(value) && value !== NIL_UUID),
    field,
    'must be a UUID such as 0198c0de-0000-7000-8000-000000000001, or empty',
  );
  return value.toLowerCase();
}

/** A job id in canonical text. The nil UUID is well formed; no job has it. */
export function jobIdOf(value: string, violations: Violations, field = 'job_id'): string {
  violations.check(isUuid(value), field, 'must be a UUID as SubmitJob returned it');
  return value.toLowerCase();
}

/** A session id in canonical text. */
export function sessionIdOf(value: string, violations: Violations): string {
  violations.check(isUuid(value), 'session_id', 'must be a UUID as ListWorkers shows it');
  return value.toLowerCase();
}

/** Milliseconds, or undefined when unset. */
export function durationMs(
  value: Duration | undefined,
  min: number,
  max: number,
  field: string,
  violations: Violations,
): number | undefined {
  if (!value) return undefined;
  const { seconds, nanos } = value;
  const mixed = (seconds > 0n && nanos < 0) || (seconds < 0n && nanos > 0);
  if (
    !violations.check(
      Math.abs(nanos) < 1_000_000_000 && !mixed,
      field,
      'is not a valid duration: nanos must be below 1e9 and have the sign of seconds',
    )
  )
    return undefined;
  const ms = Number(seconds) * 1000 + nanos / 1e6;
  if (
    !violations.check(
      ms >= min && ms <= max,
      field,
      `is ${ms / 1000} s; must be from ${min / 1000} s to ${max / 1000} s`,
    )
  )
    return undefined;
  return Math.max(min, Math.round(ms));
}

/** Microseconds since 1970, or undefined if unset. Years 1970 to 2200. */
export function timestampUs(value: Timestamp | undefined, field: string, violations: Violations): number | undefined {
  if (!value) return undefined;
  const { seconds, nanos } = value;
  const good = nanos >= 0 && nanos < 1_000_000_000 && seconds >= 0n && seconds < 7_258_118_400n;
  if (!violations.check(good, field, 'is not a valid time between the years 1970 and 2200')) return undefined;
  return Number(seconds) * 1_000_000 + Math.floor(nanos / 1000);
}

/** Labels that a caller sets. */
export function checkLabels(
  labels: Readonly<Record<string, string>>,
  max: number,
  field: string,
  violations: Violations,
): void {
  checkLabelFilter(labels, max, field, violations);
  for (const key of Object.keys(labels).slice(0, max))
    violations.check(!key.startsWith('muster/'), field, `has the reserved key "${key}"`);
}

/** Labels to filter by, including those that Muster sets. */
export function checkLabelFilter(
  labels: Readonly<Record<string, string>>,
  max: number,
  field: string,
  violations: Violations,
): void {
  const entries = Object.entries(labels);
  if (entries.length === 0) return;
  violations.check(entries.length <= max, field, `has ${entries.length} entries; at most ${max} are allowed`);
  for (const [key, value] of entries.slice(0, max)) {
    const shown = JSON.stringify(cutText(key, 80));
    violations.check(LABEL_KEY.test(key), field, `has the key ${shown}; ${LABEL_KEY_RULE}`);
    violations.check(
      value.length <= 256 && !CONTROL.test(value),
      field,
      `has a value at ${shown} that is longer than 256 characters or has control characters`,
    );
  }
}

const EMPTY = new Uint8Array();

/** An unset payload counts as empty. */
export function payloadFrom(
  value: WirePayload | undefined,
  maxBytes: number,
  field: string,
  violations: Violations,
): Payload {
  if (!value) return { data: EMPTY, contentType: '' };
  if (value.data.length > maxBytes)
    violations.add(
      `${field}.data`,
      `is ${value.data.length} bytes; at most ${maxBytes} are allowed. Keep large data elsewhere and pass a reference`,
    );
  if (value.contentType !== 'application/json') checkText(value.contentType, 128, `${field}.content_type`, violations);
  const entries = Object.entries(value.metadata);
  if (entries.length === 0) return { data: value.data, contentType: value.contentType };
  const size = entries.reduce((sum, [key, text]) => sum + key.length + text.length, 0);
  violations.check(
    entries.length <= 16 && size <= 1024,
    `${field}.metadata`,
    'has more than 16 entries or 1,024 characters',
  );
  violations.check(
    !entries.some(([key, text]) => CONTROL.test(key) || CONTROL.test(text)),
    `${field}.metadata`,
    'has control characters; remove them',
  );
  return { data: value.data, contentType: value.contentType, metadata: sortedMap(value.metadata) };
}

/** A finite number within the bounds, which are inclusive. */
export function checkRange(value: number, min: number, max: number, field: string, violations: Violations): void {
  violations.check(
    Number.isFinite(value) && value >= min && value <= max,
    field,
    `is ${value}; must be from ${min} to ${max}`,
  );
}

/** A number that the worker counts itself. Above 2^53 - 1 neither JavaScript nor the store could hold it exactly. */
export function counterOf(value: bigint, field: string, violations: Violations): number {
  const good = value >= 0n && value <= MAX_COUNTER;
  return violations.check(good, field, `is ${value}; must be from 0 to ${MAX_COUNTER}`) ? Number(value) : 0;
}

/** Page size as for every list: 0 means 50, and more than 1,000 means 1,000. */
export function pageSizeOf(value: number, violations: Violations): number {
  violations.check(value >= 0, 'page_size', 'must not be negative');
  return Math.min(value || 50, 1_000);
}

/** Whether an enum of the contract has this number; the decoder accepts any number. */
export function isKnown(values: Readonly<Record<string, number>>, value: number): boolean {
  return Object.values(values).includes(value);
}
