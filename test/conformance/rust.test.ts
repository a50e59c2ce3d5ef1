/** The Rust SDK implements the protocol: its worker passes every case of `muster conformance`. */
import { rust } from '../support/run/toolchains.ts';
import { conformsOnceBuilt } from './support/built.ts';

conformsOnceBuilt(rust, { folder: 'sdk/rust', command: ['cargo', 'build', '--workspace', '--locked'] }, [
  'sdk/rust/target/debug/muster-conformance-worker',
]);
