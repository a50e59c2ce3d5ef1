/** The example of an operation as a shell command. */
import type { Operation } from './document.ts';

export function curlOf(path: string, { requestBody }: Operation, baseUrl: string): string {
  const [[type = '', { example }] = ['', { example: {} }]] = Object.entries(requestBody.content);
  const json = JSON.stringify(example);
  const target = `${baseUrl}${path} -H 'content-type: ${type}'`;
  if (!type.startsWith('application/connect+')) return `curl -s ${target} -d ${quoted(json)}`;
  return `printf '${frameHead(Buffer.byteLength(json))}%s' ${quoted(json)} | curl -sN ${target} --data-binary @-`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Flags and length of a frame as printf escapes. */
function frameHead(length: number): string {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return [...head].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
