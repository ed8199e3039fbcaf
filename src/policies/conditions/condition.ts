import type { NonEmpty } from '../../kernel/non-empty.ts';

/** Text compared exactly, or a pattern (RE2) that must match all of it; plain data. */
export interface TextRule {
  readonly kind: 'exact' | 'pattern';
  readonly text: string;
}

/** What an attestation requirement asks of one predicate; plain data. */
export type Condition =
  | {
      readonly name: 'where';
      /** In CEL. */
      readonly expression: string;
      /** How often it goes over lists, be it one in the other. */
      readonly loops: number;
      /** Patterns that it searches for. */
      readonly patterns: readonly string[];
    }
  | { readonly name: 'slsa.builder'; readonly ids: NonEmpty<TextRule> }
  | {
      readonly name: 'slsa.source';
      readonly repository: TextRule;
      readonly ref: TextRule | undefined;
      readonly path: TextRule | undefined;
    }
  | { readonly name: 'sbom.present'; readonly format: SbomFormat }
  /** SPDX identifiers, in which `*` stands for any characters. */
  | { readonly name: 'sbom.noLicense'; readonly licenses: NonEmpty<string> }
  | {
      readonly name: 'vuln.maxSeverity';
      readonly severity: Severity | 'none';
      /** What a severity that nobody knows counts as. */
      readonly unknown: 'refused' | 'tolerated';
      /** Identifiers such as `CVE-2026-0001` that do not count. */
      readonly except: readonly string[];
    }
  | { readonly name: 'vex.status'; readonly statuses: NonEmpty<VexStatus> }
  | {
      readonly name: 'vsa.level';
      readonly levels: NonEmpty<string>;
      readonly verifier: TextRule;
      /** Names beside the scope itself under which the verifier may know the artifact. */
      readonly resources: readonly string[];
    };

export type ConditionName = Condition['name'];

export const sbomFormats = ['any', 'spdx', 'cyclonedx'] as const;
export type SbomFormat = (typeof sbomFormats)[number];

/** From the least to the worst. */
export const severities = ['negligible', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

// OpenVEX specification, Status Labels.
export const vexStatuses = ['not_affected', 'affected', 'fixed', 'under_investigation'] as const;
export type VexStatus = (typeof vexStatuses)[number];
