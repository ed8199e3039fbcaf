import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { writeLayout } from '../test/support/write-layout.ts';
import { makeDemo } from './make-demo/demo.ts';

// Writes config/demo, config/trust and config/keys anew: `npm run demo`. Commit them together: the
// signatures in the one were made with what the others hold.
const here = import.meta.dirname;
const { entries, root, publicKey } = makeDemo();
rmSync(`${here}/demo`, { recursive: true, force: true });
mkdirSync(`${here}/demo`, { recursive: true });
writeLayout(`${here}/demo`, entries);
mkdirSync(`${here}/trust/x509/ca/demo`, { recursive: true });
writeFileSync(`${here}/trust/x509/ca/demo/demo-root.pem`, root);
mkdirSync(`${here}/keys`, { recursive: true });
writeFileSync(`${here}/keys/demo.pub`, publicKey);
for (const { artifact, tag } of entries) {
  if (tag !== undefined) process.stdout.write(`${artifact.descriptor.digest}  demo/${tag}\n`);
}
