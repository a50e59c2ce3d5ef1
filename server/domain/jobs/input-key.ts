/** What of an input a submission rule compares. */
import { readJson } from '../base/exact-json.ts';
import type { Payload } from '../base/payload.ts';

/** Equal for inputs that are alike, and only for them. */
export interface InputKey {
  readonly text: string;
  /** In place of the text where the input is no JSON. */
  readonly bytes?: Uint8Array;
}

/** JSON by its value, where the content type says that it is, or says nothing; else byte by byte. */
export function keyOfInput({ data, contentType }: Payload): InputKey {
  const mediaType = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  const json = mediaType === '' || mediaType === 'application/json' ? readJson(data) : undefined;
  return json ? { text: `json ${json.text}` } : { text: 'bytes', bytes: data };
}

/** Parts of a path, from the outside in. */
export function partsOf(path: string): string[] {
  return path.split('.');
}

/** Of these parts of an input, in whatever order the paths are; or what is wrong with it, in words that follow its name. */
export function keyOfFields({ data }: Payload, paths: readonly string[]): InputKey | { readonly problem: string } {
  const json = readJson(data);
  if (!json) return { problem: `is no JSON, and "${paths[0]}" is to be found in it` };
  const found: (readonly [path: string, text: string])[] = [];
  for (const path of [...paths].sort()) {
    let node: typeof json | undefined = json;
    for (const part of partsOf(path)) node = node?.members?.get(part);
    if (!node) return { problem: `has nothing at "${path}"` };
    found.push([path, node.text]);
  }
  return { text: JSON.stringify(found) };
}
