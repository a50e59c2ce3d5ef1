/** Every field of a request, however deep, and requests with another value in it. */
import {
  clone,
  create,
  type DescField,
  type DescMessage,
  type Message,
  type MessageInitShape,
} from '@bufbuild/protobuf';
import { type ReflectList, type ReflectMap, type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';

/** A field with the messages that contain it, from the request down. */
export interface Place {
  readonly trail: readonly DescField[];
  readonly field: DescField;
}

/** Messages that represent a single value. */
const values = new Set(['Timestamp', 'Duration', 'FieldMask'].map((name) => `google.protobuf.${name}`));

function messageOf(field: DescField): DescMessage | undefined {
  const message = field.fieldKind === 'map' ? undefined : field.message;
  return message && !values.has(message.typeName) ? message : undefined;
}

/** A recursive message is entered once. */
export function placesOf(message: DescMessage, trail: readonly DescField[] = []): Place[] {
  return message.fields.flatMap((field) => {
    const inner = messageOf(field);
    const own = !inner || field.fieldKind === 'list' ? [{ trail, field }] : [];
    const isKnown = inner === message || trail.some(({ parent }) => parent === inner);
    return inner && !isKnown ? [...own, ...placesOf(inner, [...trail, field])] : own;
  });
}

/** The path as in violations: `job.retry_policy.rules[0].delay`. */
export function pathOf({ trail, field }: Place): string {
  return [...trail.map((step) => (step.fieldKind === 'list' ? `${step.name}[0]` : step.name)), field.name].join('.');
}

/** Whether a violation at this place names the field, a part of it, or the message that contains it. */
export function isNamed(place: Place, fields: readonly string[]): boolean {
  const path = pathOf(place);
  const parent = path.slice(0, Math.max(0, path.lastIndexOf('.')));
  return fields.some(
    (field) => field === path || field === parent || (/^[.[]/.test(field.slice(path.length)) && field.startsWith(path)),
  );
}

function descend(message: ReflectMessage, step: DescField): ReflectMessage {
  if (step.fieldKind === 'list') {
    const list = message.get(step) as ReflectList<ReflectMessage>;
    if (list.size === 0) list.add(reflect(step.message as DescMessage));
    return list.get(0) as ReflectMessage;
  }
  if (!message.isSet(step)) message.set(step, reflect(step.message as DescMessage));
  return message.get(step) as ReflectMessage;
}

/** A copy of the request with `value` at that place; an array or an object replaces the whole list or map. */
export function withValue(schema: DescMessage, request: Message, { trail, field }: Place, value: unknown): Message {
  const copy = clone(schema, request);
  let message = reflect(schema, copy, false);
  for (const step of trail) message = descend(message, step);
  if (field.fieldKind === 'list') setList(message.get(field) as ReflectList, field, value as unknown[]);
  else if (field.fieldKind === 'map') setMap(message.get(field) as ReflectMap, value as Record<string, unknown>);
  else message.set(field, asReflected(field.message, value) as never);
  return copy;
}

/** Values that are messages are given as their initial shape. */
function asReflected(message: DescMessage | undefined, value: unknown): unknown {
  return message ? reflect(message, create(message, value as MessageInitShape<DescMessage>), false) : value;
}

function setList(list: ReflectList, field: DescField, items: readonly unknown[]): void {
  list.clear();
  for (const item of items) list.add(asReflected(field.message, item) as never);
}

function setMap(map: ReflectMap, entries: Readonly<Record<string, unknown>>): void {
  map.clear();
  for (const [key, value] of Object.entries(entries)) map.set(key as never, value as never);
}
