import { systemClock } from '../kernel/clock.ts';
import type { Command } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { renderInspection } from './render-inspection.ts';
import { UsageError } from './usage-error.ts';

export const airgapInspect: Command = {
  name: 'airgap inspect',
  summary: 'what is in a bundle, who signed it, and what is new in it',
  operands: 'DIR…',
  description: [
    'Reads the metadata of a bundle and prints its stream, number and base, when it was made and',
    'ends, whose keys signed it, its images with their evidence and what of them is new, denials,',
    'how old its revocation data are, and which volumes are in the folders. Metadata that are not',
    'signed as their root says are an error; with --root, that root has to lead to them. The content',
    'of volumes is not read: `airgap verify` does that.',
  ].join('\n'),
  options: [{ name: 'root', value: 'FILE', does: 'the root metadata that must vouch for it' }],
  examples: [
    { line: 'assay airgap inspect /media/usb', does: 'what came?' },
    {
      line: "assay airgap inspect --json /media/usb | jq '.images[].reference'",
      does: 'for a script',
    },
  ],
  run: async ({ operands, options, json, terminal }) => {
    const [first] = operands;
    if (first === undefined) throw new UsageError('DIR is missing: the folder of a bundle');
    const { root } = options;
    // Loaded when it is needed: `assay help` should not wait for it.
    const { inspectAirgap } = await import('../compose/airgap-inspect.ts');
    const place = { folders: operands, root: typeof root === 'string' ? root : undefined };
    const inspection = await inspectAirgap(place, systemClock);
    terminal.out(
      json ? JSON.stringify(inspection, null, 2) : renderInspection(inspection, terminal.paint),
    );
    return exitCodes.ok;
  },
};
