/** What became of one check. `inconclusive`: we could not find out. */
export type CheckOutcome = 'passed' | 'failed' | 'skipped' | 'not-run' | 'inconclusive';

/** What a failed check does to the signature: enforce stops it, log is only reported. */
export type Enforcement = 'enforce' | 'log' | 'skip';

/** One named test of one signature. */
export interface Check {
  readonly id: string;
  readonly outcome: CheckOutcome;
  readonly enforcement: Enforcement;
  /** The specification and section that asks for it. */
  readonly rule: string;
  /** Why it failed, was skipped, not run or inconclusive. */
  readonly because?: string;
  /** What the check saw, for a person who reads the report. */
  readonly evidence?: Readonly<Record<string, string>>;
}
