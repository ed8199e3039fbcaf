import type { Test } from 'tap';
import { type AppKit, type AppOptions, reasonOf, startAppKit } from './app-kit.ts';
import { buildImage } from './build-image.ts';
import { type FakeClock, makeFakeClock } from './fake-clock.ts';
import { startFakeRegistry } from './fake-registry.ts';
import { openRevocationServer, type RevocationServer } from './revocation-server.ts';
import { signedBy } from './sign-notation.ts';
import { type BuiltCertificate, type Chain, makeChain } from './test-ca.ts';
import { buildCrl, type CrlOptions } from './test-crl.ts';
import { buildOcsp, type OcspAnswerOptions, type OcspOptions } from './test-ocsp.ts';

export const image = buildImage({ name: 'revocation' });
export const allowed = { egress: { allowPrivate: ['127.0.0.0/8'] } };

/** A hierarchy of three, its responder and its lists, and a registry with what its leaf signed. */
export interface RevocationApp {
  readonly server: RevocationServer;
  readonly clock: FakeClock;
  readonly chain: Chain;
  readonly middle: BuiltCertificate;
  readonly leafOcsp: (
    changes?: Partial<OcspOptions>,
    answer?: Partial<OcspAnswerOptions>,
  ) => Buffer;
  readonly middleOcsp: (answer?: Partial<OcspAnswerOptions>) => Buffer;
  readonly leafCrl: (changes?: Partial<CrlOptions>) => Buffer;
  start(options?: Partial<AppOptions>): Promise<AppKit>;
}

export type Sources = 'ocsp' | 'crl' | 'both';

export async function makeRevocationApp(
  t: Test,
  sources: Sources = 'both',
): Promise<RevocationApp> {
  const server = await openRevocationServer(t);
  const named = (name: string) => ({
    ...(sources !== 'crl' && { ocspUrls: [`${server.url}/${name}/ocsp`] }),
    ...(sources !== 'ocsp' && { crlUrls: [`${server.url}/${name}.crl`] }),
  });
  const chain = makeChain({ leaf: named('leaf'), intermediate: { 0: named('middle') } });
  const { leaf, root } = chain;
  const [, middle = root] = chain.certificates;
  const registry = await startFakeRegistry();
  t.teardown(() => registry.close());
  for (const artifact of [image, signedBy({ of: image.descriptor, format: 'jws', chain })]) {
    registry.put('acme/app', artifact);
  }
  const clock = makeFakeClock();
  const week = { nextUpdate: '2030-01-08T00:00:00Z' };
  const world: RevocationApp = {
    server,
    clock,
    chain,
    middle,
    leafOcsp: (changes, answer) =>
      Buffer.from(
        buildOcsp({ issuer: middle, answers: [{ certificate: leaf, ...answer }], ...changes }),
      ),
    middleOcsp: (answer) =>
      Buffer.from(buildOcsp({ issuer: root, answers: [{ certificate: middle, ...answer }] })),
    leafCrl: (changes) => Buffer.from(buildCrl({ issuer: middle, ...week, ...changes })),
    start: (options) =>
      startAppKit(t, { upstreams: { up: registry.url }, clock, config: allowed, ...options }),
  };
  server.serve('/leaf/ocsp', () => world.leafOcsp());
  server.serve('/middle/ocsp', () => world.middleOcsp());
  server.serve('/leaf.crl', () => world.leafCrl());
  server.serve('/middle.crl', () => Buffer.from(buildCrl({ issuer: root, ...week })));
  return world;
}

/** `served`, or the status and the reason. */
export const pull = async (kit: AppKit): Promise<string> => {
  const reply = await kit.ask(`up/acme/app/manifests/${image.descriptor.digest}`);
  return reply.status === 200 ? 'served' : `${reply.status} ${reasonOf(reply)}`;
};
