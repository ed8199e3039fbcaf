import type { Addresses } from '../compose/listen.ts';
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
    // While all of it is being loaded, which takes a while, a hang-up would end the process.
    const hangUp = hearHangUp();
    try {
      await serveUntilStopped(findConfig(named), hangUp, ({ oci, admin }) => {
        if (!terminal.interactive || json) return;
        const { host } = new URL(oci);
        terminal.err(`Assay listens on ${oci}: pull as ${host}/UPSTREAM/REPOSITORY:TAG.`);
        terminal.err(`Health, metrics and verdicts are on ${admin}. Stop with Ctrl-C.`);
      });
      return exitCodes.ok;
    } finally {
      hangUp.close();
    }
  },
};

async function serveUntilStopped(
  file: string,
  hangUp: HangUp,
  onListening: (addresses: Addresses) => void,
): Promise<void> {
  // Loaded when they are needed: `assay help` should not wait for a web server.
  const { loadConfig } = await import('../config/load.ts');
  const { composeServing } = await import('../compose/serving.ts');
  const { runUntilStopped } = await import('../compose/run.ts');
  const app = await composeServing(await loadConfig(file));
  await runUntilStopped(app, process, (addresses) => {
    if (hangUp.wasHeard()) void app.reload();
    onListening(addresses);
  });
}

interface HangUp {
  wasHeard(): boolean;
  close(): void;
}

function hearHangUp(): HangUp {
  let wasHeard = false;
  const hear = (): void => {
    wasHeard = true;
  };
  process.on('SIGHUP', hear);
  return { wasHeard: () => wasHeard, close: () => void process.off('SIGHUP', hear) };
}
