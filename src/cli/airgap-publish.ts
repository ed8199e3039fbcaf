import type { PublishedImage, PublishOptions, PublishReport } from '../compose/airgap-publish.ts';
import { systemClock } from '../kernel/clock.ts';
import { exactly } from './arguments.ts';
import type { Command, Invocation } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { findConfig } from './find-config.ts';
import { makeProgress } from './progress.ts';
import { describeBytes, describeCount } from './quantities.ts';
import { type Colour, type Paint, printable } from './terminal.ts';
import { untilStopped } from './until-stopped.ts';

export const airgapPublish: Command = {
  name: 'airgap publish',
  summary: 'pushes what was imported into a registry of the site, with its signatures',
  operands: '',
  description: [
    'Asks the gate for each image that is published in `airgap.store`, as a client would, and pushes',
    'what it trusts at this moment, byte for byte: blobs, manifests, signatures, attestations and',
    'SBOMs, and at the end the tag. Where the registry has no referrers API its tag schema is used.',
    'docker.io/library/nginx becomes PREFIX/docker.io/library/nginx. What is there is not sent again:',
    'one that was stopped goes on when the same command runs again. Credentials and certificates are',
    'those of `airgap.publish` in the configuration, for the registry that it names alone.',
    'Exits with 1 if an image is not trusted, with 2 if one could not be pushed.',
  ].join('\n'),
  options: [
    {
      name: 'to',
      value: 'URL',
      does: 'https://HOST[:PORT][/PREFIX]; airgap.publish.url unless told',
    },
    { name: 'plain-http', does: 'permits http:// in it: whoever is on the path sees all' },
  ],
  examples: [
    {
      line: 'assay airgap publish --config zone.yaml --to https://harbor.local/mirror',
      does: 'after each import',
    },
  ],
  run: async (invocation) => {
    exactly(invocation.operands);
    const report = await publishWithProgress(invocation);
    const { terminal, json } = invocation;
    terminal.out(json ? JSON.stringify(report, null, 2) : render(report, terminal.paint));
    return exitCodeOf(report);
  },
};

async function publishWithProgress(invocation: Invocation): Promise<PublishReport> {
  const { config, terminal, options } = invocation;
  const { to } = options;
  // Loaded when they are needed: `assay help` should not wait for them.
  const { loadConfig } = await import('../config/load.ts');
  const { publishAirgap } = await import('../compose/airgap-publish.ts');
  const loaded = await loadConfig(findConfig(config));
  const progress = makeProgress(0, terminal, systemClock);
  const onProgress: PublishOptions['onProgress'] = (done, total) => progress.show(done, total);
  const wish: PublishOptions = {
    to: typeof to === 'string' ? to : undefined,
    plainHttp: options['plain-http'] === undefined ? undefined : 'allowed',
    onProgress,
  };
  try {
    return await untilStopped((signal) => publishAirgap(loaded, wish, signal));
  } finally {
    progress.end();
  }
}

function exitCodeOf({ images, isComplete }: PublishReport): ExitCode {
  const outcomes = new Set(images.map(({ outcome }) => outcome));
  if (outcomes.has('denied') || outcomes.has('waived') || outcomes.has('absent')) {
    return exitCodes.untrusted;
  }
  return outcomes.has('failed') || !isComplete ? exitCodes.inconclusive : exitCodes.ok;
}

const colours = {
  trusted: 'green',
  waived: 'yellow',
  denied: 'red',
  absent: 'red',
  failed: 'yellow',
} as const satisfies Record<PublishedImage['outcome'], Colour>;

function render({ to, generation, images, isComplete }: PublishReport, paint: Paint): string {
  const pushed = images.filter(({ outcome }) => outcome === 'trusted');
  const sum = (of: 'sentBytes' | 'mountedBytes' | 'presentBytes'): number =>
    images.reduce((total, image) => total + image[of], 0);
  const sent = describeBytes(sum('sentBytes'));
  const there = describeBytes(sum('mountedBytes') + sum('presentBytes'));
  const summary =
    `${pushed.length} of ${describeCount(images.length, 'image')} of generation ${generation}` +
    ` are at ${printable(to)}: ${sent} sent, ${there} were there`;
  return [
    ...images.map((image) => renderImage(image, paint)),
    isComplete ? summary : `${summary}; stopped before its end: run it again to go on`,
  ].join('\n');
}

function renderImage(image: PublishedImage, paint: Paint): string {
  const { outcome, reference, target = '', reason, because, evidence, sentBytes } = image;
  const why = [reason, because].filter((part) => part !== undefined).join(': ');
  const done = `${target}, ${describeBytes(sentBytes)} sent, ${describeCount(evidence, 'signature and the like', 'signatures and the like')}`;
  const name = `${paint(colours[outcome], outcome.padEnd(8))} ${printable(reference)}`;
  return `${name}  ${printable(because === undefined ? done : why)}`;
}
