import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { DeniedError, NotFoundError } from '../../src/gate/gate-error.ts';
import type { Digest } from '../../src/oci/digest.ts';
import type { KeyValue } from '../../src/storage/key-value.ts';
import { makeMemoryKeyValue } from '../../src/storage/memory-key-value.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { UpstreamError } from '../../src/upstream/upstream-error.ts';
import { type Artifact, buildIndex } from '../support/build-image.ts';
import { app, by, type GateKit, makeGateKit, never } from '../support/gate-kit.ts';
import { makeMemorySource, type MemorySource } from '../support/memory-source.ts';
import { toySignature } from '../support/toy-format.ts';

/**
 * The gate with a fault at each call of its state and of its source in turn: what is unsigned is
 * never admitted, what is signed is never denied, and once all is well everything is as it was.
 */

interface Faulty {
  /** From now on; `when` is asked with the number of each call. */
  readonly arm: (when: (call: number) => boolean) => void;
  /** All is well again; returns the calls since it was armed. */
  readonly heal: () => number;
  readonly call: () => void;
}

function faultyReads(store: KeyValue, { call }: Pick<Faulty, 'call'>): KeyValue {
  return { ...store, get: async (key) => (call(), store.get(key)) };
}

function makeFaulty(makeError: () => Error): Faulty {
  let calls = 0;
  let isBroken: (call: number) => boolean = () => false;
  return {
    arm(when) {
      calls = 0;
      isBroken = when;
    },
    heal() {
      isBroken = () => false;
      return calls;
    },
    call() {
      if (isBroken(calls++)) throw makeError();
    },
  };
}

function faultyStore(store: KeyValue, { call }: Faulty): KeyValue {
  return {
    ...faultyReads(store, { call }),
    put: async (key, value) => (call(), store.put(key, value)),
    delete: async (key) => (call(), store.delete(key)),
    keys: async (prefix, limit) => (call(), store.keys(prefix, limit)),
    close: () => store.close(),
  };
}

function faultySource(source: MemorySource, { call }: Faulty): MemorySource {
  return {
    ...source,
    resolveTag: async (...asked) => (call(), source.resolveTag(...asked)),
    fetchManifest: async (...asked) => (call(), source.fetchManifest(...asked)),
    statBlob: async (...asked) => (call(), source.statBlob(...asked)),
    openBlob: async (...asked) => (call(), source.openBlob(...asked)),
    listReferrers: async (...asked) => (call(), source.listReferrers(...asked)),
  };
}

const signed = buildIndex({ name: 'signed', attestation: 'with' });
const signature = toySignature(signed.descriptor, { by: 'alice' });
const unsigned = buildIndex({ name: 'unsigned', attestation: 'with' });

type Step = (gate: GateKit['gate']) => Promise<unknown>;

const manifest = (reference: string) => (gate: GateKit['gate']) =>
  gate.admitManifest(app, by(reference), never());
const blob = (digest: Digest) => async (gate: GateKit['gate']) => {
  const admitted = await gate.admitBlob(app, digest, never());
  return buffer(await admitted.open(never()));
};
const referrers = (digest: Digest) => (gate: GateKit['gate']) =>
  gate.admitReferrers(app, digest, never());

/** Everything that a client may ask for about an index. */
function stepsOf(tag: string, index: Artifact): Readonly<Record<string, Step>> {
  const [child = index] = index.children;
  const attestation = index.children.at(-1) ?? index;
  return {
    tag: manifest(tag),
    digest: manifest(index.descriptor.digest),
    child: manifest(child.descriptor.digest),
    'a layer of the child': blob(child.blobs[1]!.descriptor.digest),
    'the child as a blob': blob(child.descriptor.digest),
    attestation: manifest(attestation.descriptor.digest),
    referrers: referrers(index.descriptor.digest),
  };
}

const signedSteps: Readonly<Record<string, Step>> = {
  ...stepsOf('signed', signed),
  signature: manifest(signature.descriptor.digest),
  envelope: blob(signature.blobs[1]!.descriptor.digest),
};
const unsignedSteps = stepsOf('unsigned', unsigned);

async function outcomeOf(step: Step, gate: GateKit['gate']): Promise<string> {
  try {
    await step(gate);
    return 'admitted';
  } catch (error) {
    if (error instanceof DeniedError) return `denied: ${error.reason}`;
    return error instanceof NotFoundError ? 'not found' : 'could not find out';
  }
}

async function makeKit(faults: Faults): Promise<GateKit> {
  const source = makeMemorySource();
  source.put(signed, 'signed');
  source.put(signature);
  source.put(unsigned, 'unsigned');
  const memory = makeMemoryKeyValue();
  const store = faults.reads === undefined ? memory : faultyReads(memory, faults.reads);
  return makeGateKit(undefined, {
    source: faults.source === undefined ? source : faultySource(source, faults.source),
    store: faults.store === undefined ? store : faultyStore(store, faults.store),
  });
}

interface Faults {
  readonly store?: Faulty;
  /** Of the state's single entries alone. */
  readonly reads?: Faulty;
  readonly source?: Faulty;
}

const mostCalls = 60;
const extents: Readonly<Record<string, (at: number) => (call: number) => boolean>> = {
  once: (at) => (call) => call === at,
  'for some calls': (at) => (call) => call >= at && call < at + 8,
  'from then on': (at) => (call) => call >= at,
};

/** Runs `check` with the fault at each call, until there are no more calls. */
async function atEachCall(
  t: Test,
  faulty: Faulty,
  check: (arm: () => void, where: string) => Promise<void>,
): Promise<void> {
  for (const [extent, when] of Object.entries(extents)) {
    for (let at = 0; at < mostCalls; at += 1) {
      let armed = false;
      await check(() => {
        armed = true;
        faulty.arm(when(at));
      }, `at call ${at} ${extent}`);
      if (!armed || faulty.heal() <= at) break;
    }
  }
  t.pass('every call was broken');
}

const kinds = {
  'the state': () => ({ store: makeFaulty(() => new StorageError('STORAGE_FAILED', 'disk')) }),
  'reading the state': () => ({
    reads: makeFaulty(() => new StorageError('STORAGE_FAILED', 'disk')),
  }),
  'the source': () => ({ source: makeFaulty(() => new UpstreamError('UPSTREAM_TIMEOUT', 'late')) }),
  'the source, by a mistake of ours': () => ({ source: makeFaulty(() => new TypeError('oops')) }),
} satisfies Record<string, () => Faults>;

for (const [what, makeFaults] of Object.entries(kinds)) {
  const faultyOf = (faults: Faults): Faulty => (faults.store ?? faults.reads ?? faults.source)!;

  t.test(`a fault of ${what} admits nothing that is unsigned`, async (t) => {
    for (const [name, step] of Object.entries(unsignedSteps)) {
      const faults = makeFaults();
      await atEachCall(t, faultyOf(faults), async (arm, where) => {
        const { gate } = await makeKit(faults);
        arm();
        t.not(await outcomeOf(step, gate), 'admitted', `${name}, ${where}`);
        faultyOf(faults).heal();
        t.match(await outcomeOf(unsignedSteps['tag']!, gate), /^denied/, `${name}, then`);
      });
    }
  });

  t.test(`a fault of ${what} in a first pull denies nothing that is signed`, async (t) => {
    const faults = makeFaults();
    await atEachCall(t, faultyOf(faults), async (arm, where) => {
      const { gate } = await makeKit(faults);
      arm();
      for (const [name, step] of Object.entries(signedSteps)) {
        const outcome = await outcomeOf(step, gate);
        if (outcome === 'admitted') continue;
        t.equal(outcome, 'could not find out', `${name}, ${where}`);
        break;
      }
      const calls = faultyOf(faults).heal();
      for (const [name, step] of Object.entries(signedSteps)) {
        t.equal(await outcomeOf(step, gate), 'admitted', `${name}, ${where}, when all is well`);
      }
      // For the loop: the calls of the broken pull.
      faultyOf(faults).arm(() => false);
      for (let call = 0; call < calls; call += 1) faultyOf(faults).call();
    });
  });

  t.test(`a fault of ${what} after a restart denies nothing that was served`, async (t) => {
    for (const [name, step] of Object.entries(signedSteps)) {
      const faults = makeFaults();
      await atEachCall(t, faultyOf(faults), async (arm, where) => {
        const first = await makeKit(faults);
        for (const each of Object.values(signedSteps)) await each(first.gate);
        const { gate } = await first.restarted();
        arm();
        const outcome = await outcomeOf(step, gate);
        t.ok(['admitted', 'could not find out'].includes(outcome), `${name}, ${where}: ${outcome}`);
        const calls = faultyOf(faults).heal();
        t.equal(await outcomeOf(step, gate), 'admitted', `${name}, ${where}, when all is well`);
        faultyOf(faults).arm(() => false);
        for (let call = 0; call < calls; call += 1) faultyOf(faults).call();
      });
    }
  });
}

t.test('what the state did not take it gets as soon as it takes anything', async (t) => {
  const store = makeFaulty(() => new StorageError('STORAGE_FAILED', 'disk full'));
  const kit = await makeKit({ store });
  store.arm(() => true);
  t.equal(await outcomeOf(signedSteps['tag']!, kit.gate), 'admitted');
  store.heal();
  kit.clock.advanceMs(60_000);
  t.equal(await outcomeOf(signedSteps['tag']!, kit.gate), 'admitted', 'the tag is noted anew');
  await new Promise(setImmediate);
  const { gate } = await kit.restarted();
  for (const name of ['child', 'a layer of the child']) {
    t.equal(await outcomeOf(signedSteps[name]!, gate), 'admitted', `${name}, after a restart`);
  }
});
