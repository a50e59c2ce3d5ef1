/** A real Chromium: the one from the set-up, or an installed one. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

function findBrowser(): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (const path of names.flatMap((name) => folders.map((folder) => join(folder, name)))) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not there: try the next one
    }
  }
  throw new Error('there is no Chromium on the PATH; run the tests with npm test, which brings one');
}

/** Resolves no names outside this machine, except those that the test maps to it. */
export function startBrowser(settings: { hostRules?: string } = {}): Promise<Browser> {
  const rules = settings.hostRules ? [`--host-resolver-rules=${settings.hostRules}`] : [];
  return chromium.launch({
    executablePath: findBrowser(),
    chromiumSandbox: false, // it only sees pages of the tests, and as root it has none
    args: ['--disable-gpu', '--disable-quic', '--disable-background-networking', ...rules],
  });
}
