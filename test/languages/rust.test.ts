/** The SDK for Rust. */
import { rust } from '../support/toolchains.ts';
import { suiteOf } from './support/suite.ts';

suiteOf({
  toolchain: rust,
  folder: 'sdk/rust',
  runs: {
    'is formatted': ['cargo', 'fmt', '--all', '--check'],
    'has no findings of clippy': ['cargo', 'clippy', '--workspace', '--all-targets', '--', '-D', 'warnings'],
    'passes its tests, and the examples of its docs': ['cargo', 'test', '--workspace'],
  },
});
