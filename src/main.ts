#!/usr/bin/env node
import { main } from './cli/main.ts';
import { makeTerminal } from './cli/terminal.ts';

const terminal = makeTerminal(process.stdout, process.stderr, process.env);
process.exitCode = await main(process.argv.slice(2), terminal);
