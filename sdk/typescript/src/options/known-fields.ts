/** Refuses fields that a message of the contract does not have, in the message and in those within it. */
import type { DescField, DescMessage, DescOneof } from '@bufbuild/protobuf';
import { unknownOption, within } from './known-options.ts';

/** Names that every message object may have. */
const COMMON = ['$typeName', '$unknown'];
/** A message whose object is any JSON. */
const STRUCT = 'google.protobuf.Struct';

/**
 * @param init An object that stands for the message: with a field for each of its fields, and `{ case, value }` for a
 *   `oneof`.
 * @param options Further names, whose values are not examined.
 * @throws TypeError when there is another name in it.
 */
export function refuseUnknownFields(
  where: string,
  schema: DescMessage,
  init: unknown,
  options: Readonly<Record<string, true>> = {},
): void {
  if (!isPlain(init) || schema.typeName === STRUCT) return;
  for (const [name, value] of Object.entries(init)) {
    if (options[name] === true || COMMON.includes(name)) continue;
    const member = memberOf(schema, name);
    if (member === undefined) throw unknownField(where, schema, name, options);
    if (member.kind === 'oneof') refuseInOneof(within(where, name), member, value);
    else refuseInField(within(where, name), member, value);
  }
}

/** Refuses an unknown `case` too: protobuf-es would ignore it. */
function refuseInOneof(where: string, oneof: DescOneof, init: unknown): void {
  if (!isPlain(init)) return;
  for (const name of Object.keys(init))
    if (name !== 'case' && name !== 'value') throw unknownOption(where, name, ['case', 'value']);
  if (init.case === undefined) return;
  const field = oneof.fields.find(({ localName }) => localName === init.case);
  const names = oneof.fields.map(({ localName }) => localName);
  if (field === undefined) throw unknownOption(within(where, 'case'), String(init.case), names);
  refuseInField(within(where, 'value'), field, init.value);
}

function refuseInField(where: string, field: DescField, value: unknown): void {
  const { message } = field;
  if (message === undefined) return;
  if (field.fieldKind === 'list' && Array.isArray(value))
    for (const [i, item] of value.entries()) refuseUnknownFields(`${where}[${i}]`, message, item);
  else if (field.fieldKind === 'map' && isPlain(value))
    for (const [key, item] of Object.entries(value)) refuseUnknownFields(`${where}[${key}]`, message, item);
  else if (field.fieldKind === 'message') refuseUnknownFields(where, message, value);
}

function memberOf(schema: DescMessage, name: string): DescField | DescOneof | undefined {
  return schema.members.find((member) => member.localName === name);
}

function unknownField(where: string, schema: DescMessage, name: string, options: object): TypeError {
  const oneof = schema.oneofs.find(({ fields }) => fields.some(({ localName }) => localName === name));
  if (oneof) {
    const written = `${oneof.localName}: { case: "${name}", value: … }`;
    return new TypeError(`${where}: unknown option "${name}"; write ${written}`);
  }
  const names = [...schema.members.map(({ localName }) => localName), ...Object.keys(options)];
  return unknownOption(where, name, names);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !Array.isArray(value);
}
