/** The stream and the width of commander's help. */
import type { OutputConfiguration } from 'commander';
import type { CommandProcess, CommandStream } from './command-process.ts';

export function outputOf({ stdout, stderr }: CommandProcess): OutputConfiguration {
  const widthOf = ({ isTTY, columns }: CommandStream) => (isTTY ? columns : undefined) as number;
  return {
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
    getOutHelpWidth: () => widthOf(stdout),
    getErrHelpWidth: () => widthOf(stderr),
  };
}
