// Licences of what is shipped inside a package. One that is not on the list fails the build.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/paths.mjs';

const ALLOWED = new Set([
  'Apache-2.0',
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Unlicense',
  'BlueOak-1.0.0',
]);

/**
 * A page with the licence of each package of node_modules.
 *
 * @throws Error that names those without an allowed licence.
 */
export function licensesOf(packages) {
  const entries = packages.map((name) => {
    const folder = join(root, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    return { name, version, license, text: file ? readFileSync(join(folder, file), 'utf8').trim() : '' };
  });
  const refused = entries.filter(({ license }) => !isAllowed(license));
  if (refused.length > 0)
    throw new Error(
      `licences that are not allowed: ${refused.map(({ name, license }) => `${name} (${license})`).join(', ')}`,
    );
  return entries.map(({ name, version, license, text }) => `# ${name} ${version} (${license})\n\n${text}\n`).join('\n');
}

/** `(A AND B)` needs both, `(A OR B)` one. */
function isAllowed(license) {
  const words = String(license).replace(/[()]/g, '');
  const [some, every] = [words.split(' OR '), words.split(' AND ')];
  return some.some((one) => ALLOWED.has(one)) || every.every((one) => ALLOWED.has(one));
}
