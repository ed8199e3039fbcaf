import { composeApp } from '../compose/app.ts';
import { runUntilStopped } from '../compose/run.ts';
import { loadConfig } from '../config/load.ts';
import { exactly } from './arguments.ts';
import type { Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { findConfig } from './find-config.ts';

export const serve: Command = {
  name: 'serve',
  summary: 'runs the proxy',
  operands: '',
  description: [
    'Serves the OCI distribution API on `listen` and health, metrics and verdicts on `admin`, and',
    'logs to standard output, one JSON object a line. SIGHUP loads policy and trust material anew',
    '(they are also loaded when their files change); SIGTERM and SIGINT finish what is under way.',
  ].join('\n'),
  examples: [
    { line: 'assay serve --config config/assay.yaml', does: 'the starter' },
    {
      line: 'podman pull --tls-verify=false 127.0.0.1:5000/demo/app:signed-jws',
      does: 'a pull through it',
    },
  ],
  run: async ({ operands, config: named, json, terminal }) => {
    exactly(operands);
    const app = await composeApp(await loadConfig(findConfig(named)));
    const { oci, admin } = await app.listen();
    if (terminal.interactive && !json) {
      terminal.err(
        `Assay listens on ${oci}: pull as ${new URL(oci).host}/UPSTREAM/REPOSITORY:TAG.`,
      );
      terminal.err(`Health, metrics and verdicts are on ${admin}. Stop with Ctrl-C.`);
    }
    await runUntilStopped(app, process);
    return exitCodes.ok;
  },
};
