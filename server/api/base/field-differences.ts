/** Compares two messages of a type field by field, by their descriptor, so that no field is forgotten. */
import {
  create,
  type DescField,
  type DescMessage,
  type JsonValue,
  type MessageShape,
  toJson,
} from '@bufbuild/protobuf';
import { type FieldDifference, FieldDifferenceSchema } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';

type Fields = Readonly<Record<string, JsonValue>>;
type Json = JsonValue | undefined;

/** Messages that are a single value in JSON, such as Duration. */
const isOneValue = (message: DescMessage) => message.typeName.startsWith('google.protobuf.');
const isEmpty = (fields: Fields) => Object.keys(fields).length === 0;
const textOf = (value: Json) => (value === undefined ? '' : JSON.stringify(value));

function leaf(path: string, before: Json, after: Json): FieldDifference[] {
  const [was, is] = [textOf(before), textOf(after)];
  return was === is ? [] : [create(FieldDifferenceSchema, { path, before: was, after: is })];
}

/** Entry by entry, ordered by key. */
function mapDifferences(path: string, before: Fields, after: Fields): FieldDifference[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => leaf(`${path}[${JSON.stringify(key)}]`, entryOf(before, key), entryOf(after, key)));
}

/** Own entries only: a key may be called `constructor`. */
function entryOf(fields: Fields, key: string): Json {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

/** Lists of named messages, such as the steps of a workflow: entry by entry, ordered by name. */
function namedDifferences(type: DescMessage, path: string, before: readonly Fields[], after: readonly Fields[]) {
  const [was, is] = [before, after].map((list) => Object.fromEntries(list.map((one) => [one.name, one]))) as [
    Record<string, Fields>,
    Record<string, Fields>,
  ];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  const entries = names.flatMap((name) => {
    const [old, now] = [entryOf(was, name), entryOf(is, name)] as [Fields | undefined, Fields | undefined];
    const at = `${path}[${JSON.stringify(name)}]`;
    return old && now ? differencesOf(type, `${at}.`, old, now) : leaf(at, old, now);
  });
  const orderOf = (list: readonly Fields[], others: object) =>
    list.map(({ name }) => name as string).filter((name) => Object.hasOwn(others, name));
  return [...entries, ...leaf(path, orderOf(before, is), orderOf(after, was))];
}

function hasNames(field: DescField, before: Json, after: Json): boolean {
  if (field.fieldKind !== 'list' || !field.message?.field.name) return false;
  return [before, after].every((list) => {
    const names = ((list ?? []) as Fields[]).map(({ name }) => name);
    return names.length > 0 && new Set(names).size === names.length;
  });
}

function fieldDifference(field: DescField, path: string, before: Json, after: Json): FieldDifference[] {
  if (field.fieldKind === 'map') return mapDifferences(path, (before ?? {}) as Fields, (after ?? {}) as Fields);
  if (hasNames(field, before, after))
    return namedDifferences(field.message as DescMessage, path, before as Fields[], after as Fields[]);
  if (field.fieldKind !== 'message' || isOneValue(field.message)) return leaf(path, before, after);
  const [was, is] = [before as Fields | undefined, after as Fields | undefined];
  // A message that is set but empty has no field that could show the difference.
  if ((was === undefined) !== (is === undefined) && isEmpty(was ?? is ?? {})) return leaf(path, before, after);
  return differencesOf(field.message, `${path}.`, was ?? {}, is ?? {});
}

function differencesOf(type: DescMessage, prefix: string, before: Fields, after: Fields): FieldDifference[] {
  return type.fields.flatMap((field) =>
    fieldDifference(field, prefix + field.name, entryOf(before, field.name), entryOf(after, field.name)),
  );
}

/**
 * Differences in the order of the contract. A list is one value, unless its messages have names. `ignored`: fields of
 * the outermost message.
 */
export function fieldDifferences<T extends DescMessage>(
  type: T,
  before: MessageShape<T>,
  after: MessageShape<T>,
  ignored: ReadonlySet<string>,
): FieldDifference[] {
  const [was, is] = [before, after].map((message) => {
    const fields = toJson(type, message, { useProtoFieldName: true }) as Fields;
    return Object.fromEntries(Object.entries(fields).filter(([name]) => !ignored.has(name)));
  });
  return differencesOf(type, '', was as Fields, is as Fields);
}
