import type {
  Chunk,
  Plan,
  PlannedTable,
  RowKey,
  SourceSnapshot,
  VerifyMode,
} from '../../contract.ts';
import type { Ledger, LedgerChunk, LedgerObject } from '../../target/ledger.ts';
import type { Replay } from '../../target/replays.ts';
import type { Target } from '../../target/target.ts';
import type { Differences } from './differences.ts';
import type { Mutex } from './mutex.ts';

export interface VerifyRequest {
  readonly target: Target;
  readonly ledger: Ledger;
  readonly plan: Plan;
  readonly mode: Exclude<VerifyMode, 'none'>;
  readonly lanes: number;
  readonly signal: AbortSignal;
  /** Readers on the source: `full` needs them, `checksum` uses them to name the rows that differ. */
  readonly openSnapshot: () => Promise<SourceSnapshot>;
  /** Locators of the rows of a chunk that were rejected. */
  readonly rejectedLocators: (table: PlannedTable, chunk: Chunk) => Promise<ReadonlySet<string>>;
  readonly onTable?: (verdict: TableVerdict) => Promise<void> | void;
}

/** What verification says of one table. */
export interface TableVerdict {
  readonly table: string;
  readonly verdict: 'passed' | 'failed';
  readonly mode: Exclude<VerifyMode, 'none'>;
  readonly rowsExpected: number;
  readonly rowsFound: number;
  /** The first 200 at most; only the first 20 have their rows named. */
  readonly failures: readonly RangeFailure[];
  /** Failures beyond those that are listed. */
  readonly failuresOmitted?: number;
}

/** A range of rows that is not what was copied. */
export interface RangeFailure {
  readonly kind: 'count' | 'digest';
  /** null: the whole table, whose rows have no order in the target, or (with `replayed`) rows of any chunk. */
  readonly chunk: number | null;
  /** The rejects that were mended and replayed, which belong to no chunk. */
  readonly replayed?: true;
  /** Key range: lower exclusive, upper inclusive, null = open. */
  readonly lower: RowKey | null;
  readonly upper: RowKey | null;
  readonly rowsExpected: number;
  readonly rowsFound: number;
  /** The rows themselves, where the source could be asked; null = it could not. */
  readonly differences: Differences | null;
}

/** What comparing one table needs. */
export interface VerifyTableRequest extends VerifyRequest {
  readonly table: PlannedTable;
  readonly lane: number;
  /** Opened when the first asks for them, and shared. */
  readonly readers: () => Promise<SourceSnapshot>;
  /** Shared by all lanes: one range's hashes may fill hundreds of megabytes. */
  readonly naming: Mutex;
  readonly object: LedgerObject | undefined;
  readonly copied: ReadonlyMap<number, LedgerChunk>;
  /** Rows that have landed after the chunks, and are in no digest of theirs. */
  readonly replayed: readonly Replay[];
}

export interface CompareRequest extends VerifyTableRequest {
  readonly namesRows: boolean;
}
