/** What a finished job leaves behind; `report` shows it. */
export interface JobResult {
  readonly planHash: string;
  readonly sourceFingerprint: string;
  readonly consistency: { readonly requested: string; readonly reached: string };
  /** null: everything has been copied, but not compared yet. */
  readonly verification: {
    readonly mode: string;
    readonly status: 'passed' | 'failed' | 'skipped';
    readonly tablesPassed: number;
    readonly tablesFailed: number;
  } | null;
  readonly notes: readonly string[];
}
