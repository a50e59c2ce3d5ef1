/** The part of an input that a submission rule compares. */
import { readJson } from '../base/exact-json.ts';
import type { Payload } from '../base/payload.ts';

/** Equal for matching inputs, and only for them. */
export interface InputKey {
  readonly text: string;
  /** Set instead of the text if the input is not JSON. */
  readonly bytes?: Uint8Array;
}

/** JSON is compared by value if the content type says JSON or is empty; anything else byte by byte. */
export function keyOfInput({ data, contentType }: Payload): InputKey {
  const mediaType = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  const json = mediaType === '' || mediaType === 'application/json' ? readJson(data) : undefined;
  return json ? { text: `json ${json.text}` } : { text: 'bytes', bytes: data };
}

/** The segments of a path, outermost first. */
export function partsOf(path: string): string[] {
  return path.split('.');
}

/**
 * The key of these fields of an input, independent of the order of the paths; or the problem, as text that follows the
 * field's name.
 */
export function keyOfFields({ data }: Payload, paths: readonly string[]): InputKey | { readonly problem: string } {
  const json = readJson(data);
  if (!json) return { problem: `is not JSON, so "${paths[0]}" can't be read from it` };
  const found: (readonly [path: string, text: string])[] = [];
  for (const path of [...paths].sort()) {
    let node: typeof json | undefined = json;
    for (const part of partsOf(path)) node = node?.members?.get(part);
    if (!node) return { problem: `has nothing at "${path}"` };
    found.push([path, node.text]);
  }
  return { text: JSON.stringify(found) };
}
