import type { PrimaryLink } from './worker.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

// The program of a worker's process (fork-worker.ts). When the primary is gone the channel to it
// ends, and with it the process: node:cluster sees to that.

// Ctrl-C, and the stop of a service, reach all processes at once; when this one ends is for the
// primary to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);

const link: PrimaryLink = {
  send: (message: FromWorker) =>
    new Promise((resolve) => {
      if (process.send === undefined || !process.connected) resolve();
      else process.send(message, undefined, undefined, () => resolve());
    }),
  hear: (listener) => void process.on('message', (message: ToWorker) => listener(message)),
};

// Loaded after signals are heard: it takes a while.
const { runWorker } = await import('./worker.ts');
// The channel alone would keep the process alive.
process.exit(await runWorker(link));
