/** Predicates as builders and scanners write them, in short, by the name that cosign has for them. */
export const predicates = {
  slsaprovenance1: {
    buildDefinition: {
      buildType: 'https://actions.github.io/buildtypes/workflow/v1',
      externalParameters: {
        workflow: {
          ref: 'refs/heads/main',
          repository: 'https://github.com/acme/app',
          path: '.github/workflows/release.yml',
        },
      },
      internalParameters: {},
      resolvedDependencies: [],
    },
    runDetails: {
      builder: { id: 'https://github.com/actions/runner/github-hosted' },
      metadata: { invocationId: 'https://github.com/acme/app/actions/runs/1/attempts/1' },
    },
  },
  spdxjson: {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: 'app',
    documentNamespace: 'https://acme.test/app',
    creationInfo: { created: '2026-01-01T00:00:00Z', creators: ['Tool: maker'] },
    packages: [
      {
        SPDXID: 'SPDXRef-package',
        name: 'left',
        versionInfo: '1.0',
        downloadLocation: 'NOASSERTION',
        licenseConcluded: 'MIT',
        licenseDeclared: 'MIT',
      },
    ],
  },
  cyclonedx: {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    components: [
      { type: 'library', name: 'left', version: '1.0', licenses: [{ license: { id: 'MIT' } }] },
    ],
  },
} as const;

export type PredicateName = keyof typeof predicates;

export const predicateTypes: Readonly<Record<PredicateName, string>> = {
  slsaprovenance1: 'https://slsa.dev/provenance/v1',
  spdxjson: 'https://spdx.dev/Document',
  cyclonedx: 'https://cyclonedx.org/bom',
};
