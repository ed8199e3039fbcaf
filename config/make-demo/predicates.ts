/** What an attestation claims, and the type that says how it is to be read. */
export interface Predicate {
  readonly type: string;
  readonly predicate: unknown;
}

/** cosign 3 signs images with a statement of this type. */
export const signPredicate: Predicate = {
  type: 'https://sigstore.dev/cosign/sign/v1',
  predicate: {},
};

const made = '2026-01-02T00:00:00Z';

/** SLSA provenance v1: built by `builder` from the demo's source. */
export function provenanceBy(builder: string): Predicate {
  return {
    type: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'https://demo.example/build/v1',
        externalParameters: {
          source: { uri: 'git+https://git.example/demo/service@refs/tags/v1.0' },
        },
        internalParameters: {},
        resolvedDependencies: [],
      },
      runDetails: {
        builder: { id: builder },
        metadata: { invocationId: 'https://demo.example/runs/1', startedOn: made },
      },
    },
  };
}

const component = { name: 'hello', version: '1.0', license: 'Apache-2.0' };

/** SPDX 2.3: the one program that the image holds. */
export const spdx: Predicate = {
  type: 'https://spdx.dev/Document',
  predicate: {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: 'demo/service',
    documentNamespace: 'https://demo.example/sbom/service-1.0',
    creationInfo: { created: made, creators: ['Tool: assay-demo-1.0'] },
    packages: [
      {
        SPDXID: 'SPDXRef-hello',
        name: component.name,
        versionInfo: component.version,
        downloadLocation: 'NOASSERTION',
        licenseConcluded: component.license,
        licenseDeclared: component.license,
      },
    ],
  },
};

/** The same in CycloneDX 1.6. */
export const cycloneDx: Predicate = {
  type: 'https://cyclonedx.org/bom',
  predicate: {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { timestamp: made },
    components: [
      {
        type: 'application',
        name: component.name,
        version: component.version,
        licenses: [{ license: { id: component.license } }],
      },
    ],
  },
};
