/** Values that a field must refuse, by the kind of the field: the generic rows of the bad-input catalogue. */
import { type DescField, ScalarType } from '@bufbuild/protobuf';

export interface BadValue {
  /** Row of the catalogue; empty if the catalogue does not list it. */
  readonly row: string;
  readonly what: string;
  readonly value: unknown;
  /** Set if binary can not express it. */
  readonly jsonOnly?: boolean;
}

type Values = readonly (readonly [row: string, what: string, value: unknown, jsonOnly?: boolean | undefined])[];

const names: Values = [
  ['B24', '64 characters', 'a'.repeat(64)],
  ['B24', 'uppercase', 'Mail'],
  ['B24', 'a leading dash', '-mail'],
  ['B24', 'letters of another script', 'mаil'],
  ['B25', 'a star', 'mail.*'],
  ['B25', 'a greater-than', 'mail.>'],
  ['B25', 'a space', 'send mail'],
  ['B25', 'CR LF', 'mail\r\nx: y'],
  ['B25', '$SYS', '$SYS.mail'],
  ['B26', 'a way up', '../../etc/passwd'],
  ['B26', 'a slash', 'a/b'],
  ['B26', 'an escaped slash', 'a%2fb'],
  ['B26', 'a backslash', 'a\\b'],
  ['B26', 'a device', 'con'],
  ['B28', '5,000 characters', 'a'.repeat(5_000)],
  ['B29', 'a reserved prefix', 'sys-mail'],
  ['B11', 'a NUL', 'a\u0000b'],
  ['B10', 'half a surrogate pair', 'a\ud800b', true],
];
const texts: Values = [
  ['B11', 'a NUL', 'a\u0000b'],
  ['B11', 'a bell', 'a\u0007b'],
  ['B11', 'a DEL', 'a\u007fb'],
  ['B11', 'a C1 control', 'a\u0085b'],
  ['B28', '100,000 characters', 'a'.repeat(100_000)],
  ['B10', 'half a surrogate pair', 'a\ud800b', true],
];
const uuids: Values = [
  ['B37', 'no UUID', 'x'],
  ['B37', 'SQL', "' OR 1=1--"],
  ['B37', 'braces', '{0198c0de-0000-7000-8000-000000000001}'],
  ['B37', 'a UUID and more', '0198c0de-0000-7000-8000-0000000000012'],
  ['B28', '5,000 characters', 'a'.repeat(5_000)],
  ['B11', 'a NUL', '0198c0de-0000-7000-8000-00000000000\u0000'],
];
const ids: Values = [0, 15, 17, 5_000].map((size) => ['B37', `${size} bytes`, new Uint8Array(size)]);
const pageTokens: Values = [
  ['B43', 'garbage', 'x'],
  ['B43', 'no base64', '!!!'],
  ['B43', 'base64 of something else', 'ZGVmYXVsdA'],
  ['B43', 'of another deployment', Buffer.alloc(52, 7).toString('base64url')],
  ['B43', '5,000 characters', 'A'.repeat(5_000)],
  ['B11', 'a NUL', 'a\u0000b'],
];
const spans: Values = [
  ['B17', 'negative', { seconds: -1n }],
  ['B17', 'of two signs', { seconds: 1n, nanos: -1 }],
  ['B17', 'of two signs, negative first', { seconds: -1n, nanos: 1 }],
  ['B17', 'with too many nanos', { seconds: 1n, nanos: 1_000_000_000 }],
  ['B18', 'over ten years', { seconds: 3_660n * 86_400n }],
  ['B18', 'of int64', { seconds: 2n ** 63n - 1n }],
];
const times: Values = [
  ['', 'before 1970', { seconds: -1n }],
  ['', 'of int64', { seconds: 2n ** 63n - 1n }],
  ['', 'with negative nanos', { seconds: 2_000_000_000n, nanos: -1 }],
  ['', 'with too many nanos', { seconds: 2_000_000_000n, nanos: 1_000_000_000 }],
];
const masks: Values = [
  ['B38', 'of an unknown field', { paths: ['nothing'] }],
  ['B38', 'of everything', { paths: ['*'] }],
  ['B38', 'of an immutable field', { paths: ['name'] }],
  ['B38', 'of an output-only field', { paths: ['create_time'] }],
  ['B38', 'of a prototype', { paths: ['__proto__'] }],
];
const doubles: Values = [Number.NaN, Infinity, -Infinity, -0.5, 1e308].map((value) => ['B19', String(value), value]);
const integers: Values = [-101, -(2 ** 31), 2 ** 31 - 1].map((value) => ['B21', String(value), value]);
const enums: Values = [99, -1].map((value) => ['B12', String(value), value]);

const named = new Set(['namespace', 'name', 'definition', 'queue', 'handler', 'cleanup_handler', 'worker_name']);
const identified = new Set(['job_id', 'session_id', 'request_id', 'child_job_ids']);
const entries = (count: number) => Array.from({ length: count }, (_, i) => `key-${i}`);

function texted(field: DescField): Values {
  if (named.has(field.name) && field.parent.name !== 'Sdk') return names;
  if (identified.has(field.name)) return field.name === 'request_id' ? uuids : [...uuids, ['B37', 'nothing', '']];
  return field.name === 'page_token' ? pageTokens : texts;
}

function scalar(field: DescField, type: ScalarType): Values {
  switch (type) {
    case ScalarType.STRING:
      return texted(field);
    case ScalarType.BYTES:
      return identified.has(field.name) ? ids : [['B34', 'over 512 KiB', new Uint8Array((512 << 10) + 1)]];
    case ScalarType.DOUBLE:
      return doubles;
    case ScalarType.INT32:
      return field.name === 'page_size' ? integers.filter(([, , value]) => (value as number) < 0) : integers;
    case ScalarType.INT64:
      return [2n ** 63n - 1n, -1n].map((value) => ['', String(value), value]);
    case ScalarType.UINT64:
      return [2n ** 64n - 1n, 2n ** 53n].map((value) => ['', String(value), value]);
    case ScalarType.BOOL:
      return [];
    default:
      throw new Error(`${field.parent.typeName}.${field.name} is of a type without bad values: add some`);
  }
}

function single(field: DescField, kind: string): Values {
  if (kind === 'enum') return enums;
  if (kind === 'scalar') return scalar(field, field.scalar as ScalarType);
  switch (field.message?.typeName) {
    case 'google.protobuf.Duration':
      return spans;
    case 'google.protobuf.Timestamp':
      return times;
    case 'google.protobuf.FieldMask':
      return masks;
    default:
      return [];
  }
}

function mapped(field: DescField): Values {
  const type = (field.fieldKind === 'map' && field.scalar) || ScalarType.STRING;
  const good = type === ScalarType.STRING ? 'x' : type === ScalarType.INT64 ? 1n : 1;
  const keys: Values = [
    ['B33', '1,000 entries', Object.fromEntries(entries(1_000).map((key) => [key, good]))],
    ['B33', 'a key of 5,000 characters', { ['k'.repeat(5_000)]: good }],
    ['B11', 'a NUL in a key', { 'a\u0000b': good }],
    ['B10', 'half a surrogate pair in a key', { 'a\ud800b': good }, true],
  ];
  return [
    ...keys,
    ...(type === ScalarType.STRING ? texts : scalar(field, type)).map(
      ([row, what, value, json]) => [row, `a value: ${what}`, { key: value }, json] as const,
    ),
  ];
}

function listed(field: DescField): Values {
  const kind = field.fieldKind === 'list' ? field.listKind : '';
  const item =
    kind === 'message'
      ? {}
      : field.enum
        ? 1
        : field.scalar === ScalarType.STRING
          ? 'x'
          : field.scalar === ScalarType.BYTES
            ? new Uint8Array(16)
            : field.scalar === ScalarType.UINT64
              ? 1n
              : 1;
  const many: Values = [['B72', '10,001 entries', Array.from({ length: 10_001 }, () => item)]];
  return [
    ...many,
    ...single(field, kind).map(([row, what, value, json]) => [row, `an entry: ${what}`, [value], json] as const),
  ];
}

export function badValuesOf(field: DescField): BadValue[] {
  const all =
    field.fieldKind === 'map'
      ? mapped(field)
      : field.fieldKind === 'list'
        ? listed(field)
        : single(field, field.fieldKind);
  return all.map(([row, what, value, jsonOnly = false]) => ({ row, what, value, jsonOnly }));
}
