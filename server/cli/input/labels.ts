/** Labels as options: `--label team=shop`, repeated. */
import { InvalidArgumentError } from 'commander';

export function label(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It takes KEY=VALUE.');
  const [key, value] = [text.slice(0, at), text.slice(at + 1)];
  if (Object.hasOwn(before, key)) throw new InvalidArgumentError(`The key "${key}" is given twice.`);
  // From entries, so that a key such as __proto__ is an ordinary key.
  return Object.fromEntries([...Object.entries(before), [key, value]]);
}
