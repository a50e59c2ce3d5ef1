/** The files that differ from a revision: committed since, staged, changed and new ones. */
import { execFileSync } from 'node:child_process';

/** The revision of `--changed` without one: what is not committed. */
export const HEAD = 'HEAD';

/** Paths from the root of the checkout. Throws if git does not know the revision. */
export function changesSince(root: string, revision: string): readonly string[] {
  const git = (...args: readonly string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const paths = (text: string) => text.split('\0').filter((path) => path !== '');
  let changed: readonly string[];
  try {
    changed = paths(git('diff', '--name-only', '--no-renames', '-z', revision, '--'));
  } catch {
    throw new Error(`--changed: git knows no revision "${revision}" here; give a commit, branch or tag, or none`);
  }
  return [...new Set([...changed, ...paths(git('ls-files', '--others', '--exclude-standard', '-z'))])].sort();
}
