import { join } from 'node:path';
import type { Owner } from '../interop/support/process.ts';
import { report } from './figure.ts';
import { startAssayUnder } from './peers.ts';
import { openScene } from './scene.ts';
import type { ServerOnCore } from './server-on-core.ts';
import { storeVerdicts } from './stored-verdicts.ts';
import { load } from './wrk.ts';

// Warm requests with many rules and many stored verdicts, beside the same with few of them.

const rounds = Number(process.env['ASSAY_BENCH_ROUNDS'] ?? 3);
const seconds = Number(process.env['ASSAY_BENCH_SECONDS'] ?? 5);
const amounts = {
  few: { rules: 10, verdicts: 100 },
  many: {
    rules: Number(process.env['ASSAY_BENCH_RULES'] ?? 10_000),
    verdicts: Number(process.env['ASSAY_BENCH_MANY_VERDICTS'] ?? 1_000_000),
  },
};

await using scene = await openScene();
const { folder, owner, upstream } = scene;
const image = await scene.pushSigned('v1');

const servers = { few: await fill('few'), many: await fill('many') };
for (const [by, reference] of [
  ['digest', image.descriptor.digest],
  ['tag', 'v1'],
] as const) {
  const path = `/v2/up/app/manifests/${reference}`;
  const values: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, server] of Object.entries(servers)) {
      const { requestsPerSecond } = await load(`${server.url}${path}`, { seconds });
      (values[name] ??= []).push(requestsPerSecond);
    }
  }
  const { many } = amounts;
  const [rules, verdicts] = [many.rules, many.verdicts].map((count) =>
    count.toLocaleString('en-GB'),
  );
  report({
    title: `warm manifest GET by ${by}, ${rules} rules and ${verdicts} verdicts`,
    unit: 'requests/s',
    values: {
      assay: values['many'] ?? [],
      'assay with 10 rules and 100 verdicts': values['few'] ?? [],
    },
    ratios: { 'assay with 10 rules and 100 verdicts': { atLeast: 1 / 1.2 } },
  });
}

/** A server that was stopped, filled and started again. */
async function fill(amount: keyof typeof amounts): Promise<ServerOnCore> {
  const { rules, verdicts } = amounts[amount];
  const parent = join(folder, amount);
  const start = (of: Owner): Promise<ServerOnCore> =>
    startAssayUnder(of, parent, upstream, {
      trustPolicy: policyOf(rules),
      files: { 'trust/x509/ca/bench/root.pem': scene.rootPem },
    });
  {
    await using first = new AsyncDisposableStack();
    const server = await start({ teardown: (end) => first.defer(end) });
    const headers = { Accept: image.descriptor.mediaType };
    const path = '/v2/up/app/manifests/v1';
    const response = await fetch(`${server.url}${path}`, { headers });
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`${path} was answered with ${response.status}`);
  }
  await storeVerdicts(join(parent, 'assay', 'assay.yaml'), verdicts);
  return start(owner);
}

/** The last one is that of the image. */
function policyOf(rules: number): string {
  const others = Array.from(
    { length: rules - 1 },
    (_, index) => `  - repositories: ["up/team-${index}/**"]\n    require: { signedBy: signer }\n`,
  );
  return `version: 1
identities:
  signer: { notation: { trustStores: ["ca:bench"], trustedIdentities: ["*"] } }
rules:
${others.join('')}  - repositories: ["up/app"]
    require: { signedBy: signer }
`;
}
