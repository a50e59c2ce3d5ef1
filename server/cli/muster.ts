#!/usr/bin/env node
/** The `muster` command as a process of its own. */
import { main } from './main.ts';

await main(process);
