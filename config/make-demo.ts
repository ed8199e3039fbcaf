import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { writeLayout } from '../test/support/write-layout.ts';
import { makeDemo } from './make-demo/demo.ts';

// Writes config/demo and config/trust anew: `npm run demo`. Commit both together: the signatures
// in the one were made under the certificate in the other.
const here = import.meta.dirname;
const { entries, root } = makeDemo();
rmSync(`${here}/demo`, { recursive: true, force: true });
mkdirSync(`${here}/demo`, { recursive: true });
writeLayout(`${here}/demo`, entries);
mkdirSync(`${here}/trust/x509/ca/demo`, { recursive: true });
writeFileSync(`${here}/trust/x509/ca/demo/demo-root.pem`, root);
for (const { artifact, tag } of entries) {
  if (tag !== undefined) process.stdout.write(`${artifact.descriptor.digest}  demo/${tag}\n`);
}
