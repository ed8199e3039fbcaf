import type { DropWish } from './drop-import.ts';

// The program of a process that imports a bundle of a drop folder (drop-import.ts). The server ends
// it where it must; the stop of a service reaches all processes at once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
// Nobody is there any more to be told.
process.once('disconnect', () => process.exit(1));

process.once('message', (wish: DropWish) => {
  void import('./drop-import.ts')
    .then(({ importDropped }) => importDropped(wish))
    .then((outcome) => process.send?.(outcome, undefined, undefined, () => process.exit(0)));
});
