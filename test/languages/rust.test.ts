/** The SDK for Rust. */
import { describeWith, rust } from '../support/run/toolchains.ts';
import { rustSnippets } from './snippets/rust.ts';
import { snippetsCompile } from './support/snippets.ts';
import { suiteOf } from './support/suite.ts';

suiteOf({
  toolchain: rust,
  folder: 'sdk/rust',
  runs: {
    'is formatted': ['cargo', 'fmt', '--all', '--check'],
    'has no findings of clippy': ['cargo', 'clippy', '--workspace', '--all-targets', '--', '-D', 'warnings'],
    // The whole workspace, so that dependencies have the features that clippy has built: only the SDK has a library.
    'has docs without a warning': [
      'env',
      'RUSTDOCFLAGS=-D warnings',
      'cargo',
      'doc',
      '--no-deps',
      '--workspace',
      '--lib',
    ],
    'builds from its package': ['cargo', 'package', '--package', 'muster-jobs', '--allow-dirty', '--locked'],
    'passes its tests, and the examples of its docs': ['cargo', 'test', '--workspace'],
  },
});

describeWith(rust, 'the compiler for Rust', () => snippetsCompile(rustSnippets));
