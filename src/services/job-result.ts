/** What a finished job leaves behind; `report` shows it. */
export interface JobResult {
  readonly planHash: string;
  readonly sourceFingerprint: string;
  readonly consistency: {
    readonly requested: string;
    readonly reached: string;
    /** Where the source's own log stood at that moment, as its kind names it; null = it keeps none, or there was no one moment. */
    readonly position: string | null;
  };
  /** null: everything has been copied, but not compared yet. */
  readonly verification: {
    readonly mode: string;
    readonly status: 'passed' | 'failed' | 'skipped';
    readonly tablesPassed: number;
    readonly tablesFailed: number;
  } | null;
  readonly notes: readonly string[];
}
