import { createHash } from 'node:crypto';
import type pg from 'pg';
import { AppError } from '../../errors/app-error.ts';
import type {
  Plan,
  PlannedTable,
  Policies,
  RowKey,
  RowProblem,
  SourceDriver,
  SourceValue,
} from '../contract.ts';
import { SOURCE_DRIVERS } from '../sources/registry.ts';
import { splitCopyLine } from '../target/copy-line.ts';
import { copiedColumns } from '../target/ddl.ts';
import { isRowRefusal } from '../target/errors.ts';
import type { Ledger } from '../target/ledger.ts';
import type { Target } from '../target/target.ts';
import { findRefusal } from './copy/refusal-context.ts';
import { buildReplayStatement, type ReplayStatement } from './replay/statement.ts';
import { advanceIdentity } from './replay/identity.ts';

/** A reject with its mended values in their places. */
export interface ReplayRow {
  readonly rejectId: string;
  readonly row: Readonly<Record<string, SourceValue>>;
}

export interface ReplayRequest {
  readonly target: Target;
  readonly ledger: Ledger;
  readonly plan: Plan;
  readonly table: PlannedTable;
  readonly rows: readonly ReplayRow[];
  /** Policies that hold now instead of those of the job and its columns. */
  readonly policies: Partial<Policies>;
  readonly signal: AbortSignal;
}

/** Rows that did not land, by the id of the reject, and why. All others have, now or before. */
export type ReplayProblems = ReadonlyMap<string, RowProblem>;

/**
 * Sends mended rows of one table to the target: each by itself, all in one transaction together with their rows in the
 * ledger, so that each lands once whatever dies in between and however often it is asked for. A row is only taken as landed
 * when the target prints every value as it was sent.
 *
 * Throws TARGET_OBJECT_MISSING where the table is not there any more, and the TARGET_ errors that are no row's fault.
 */
export async function replay(request: ReplayRequest): Promise<ReplayProblems> {
  const { target, ledger, table, signal } = request;
  await ledger.install();
  if (!(await ledger.objects()).has(table.source)) {
    throw new AppError('TARGET_OBJECT_MISSING', {
      objects: [`table ${table.schema}.${table.target}`],
    });
  }
  const problems = new Map<string, RowProblem>();
  await target.inTransaction(
    `replaying rejects of ${table.source}`,
    async (session) => {
      await session.query('SET CONSTRAINTS ALL IMMEDIATE; SAVEPOINT hub_row');
      const writer = new RowWriter(session, request);
      for (const { rejectId, row } of request.rows) {
        signal.throwIfAborted();
        const problem = await writer.write(rejectId, row);
        if (problem !== null) problems.set(rejectId, problem);
      }
      await advanceIdentity(session, table);
    },
    signal,
  );
  return problems;
}

/**
 * SHA-256 (hex) of the line that a mended row is sent as, null where it is not sent: tells whether what the ledger has landed
 * is this row.
 */
export function digestRow(
  { plan, table, policies }: Pick<ReplayRequest, 'plan' | 'table' | 'policies'>,
  row: ReplayRow['row'],
): string | null {
  const encoded = SOURCE_DRIVERS[plan.source.kind].encodeRow?.({
    table: withPolicies(table, policies),
    row,
    policies: { ...plan.options.policies, ...policies },
  });
  return encoded === undefined || 'problem' in encoded ? null : digestLine(encoded.line);
}

function digestLine(line: Uint8Array): string {
  return createHash('sha256').update(line).digest('hex');
}

const LEFT_OUT: RowProblem = {
  column: '',
  reasonCode: 'TARGET_REFUSED',
  message: 'a trigger of the target left the row out',
};

class RowWriter {
  readonly #session: pg.PoolClient;
  readonly #request: ReplayRequest;
  readonly #table: PlannedTable;
  readonly #policies: Policies;
  readonly #statement: ReplayStatement;
  readonly #driver: SourceDriver<never>;

  constructor(session: pg.PoolClient, request: ReplayRequest) {
    const { plan, table, policies } = request;
    this.#session = session;
    this.#request = request;
    this.#table = withPolicies(table, policies);
    this.#policies = { ...plan.options.policies, ...policies };
    this.#driver = SOURCE_DRIVERS[plan.source.kind];
    this.#statement = buildReplayStatement(table, this.#driver.canonicalTargetExpression);
  }

  /** Null: the row is there, now or since an earlier call. */
  async write(rejectId: string, row: ReplayRow['row']): Promise<RowProblem | null> {
    const { encodeRow } = this.#driver;
    if (encodeRow === undefined) throw new Error('rows of this kind of source cannot be replayed');
    const encoded = encodeRow({ table: this.#table, row, policies: this.#policies });
    if ('problem' in encoded) return encoded.problem;
    const { line, adjustments } = encoded;
    const fields = splitCopyLine(line);
    const noted = {
      label: labelOf(this.#table, fields),
      lineDigest: digestLine(line),
      bytes: line.length,
      adjustments,
    };
    const problem = await this.#insert(rejectId, fields, noted);
    const undo = problem === null ? '' : 'ROLLBACK TO SAVEPOINT hub_row; ';
    await this.#session.query(`${undo}RELEASE SAVEPOINT hub_row; SAVEPOINT hub_row`);
    return problem === ALREADY_THERE ? null : problem;
  }

  async #insert(
    rejectId: string,
    fields: readonly (string | null)[],
    noted: Pick<
      Parameters<ReplayStatement['values']>[0],
      'lineDigest' | 'bytes' | 'adjustments'
    > & {
      readonly label: RowKey;
    },
  ): Promise<RowProblem | null> {
    const { source } = this.#table;
    const { jobId } = this.#request.ledger;
    try {
      const { rows } = await this.#session.query<{ fields: (string | null)[]; doubled: boolean }>(
        this.#statement.sql,
        this.#statement.values({ ...noted, jobId, sourceTable: source, rejectId, fields }),
      );
      const [landed] = rows;
      if (landed === undefined) return LEFT_OUT;
      if (landed.doubled) return this.#isDoubled();
      const changed = fields.findIndex((field, index) => field !== landed.fields[index]);
      return changed === -1 ? null : this.#isChanged(changed);
    } catch (error) {
      if (!isRowRefusal(error)) throw error;
      if (error.schema === 'migration_hub' && error.table === 'ledger_replay') return ALREADY_THERE;
      return findRefusal(error, this.#table);
    }
  }

  #isDoubled(): RowProblem {
    const [column = ''] = this.#table.chunkKey?.columns ?? [];
    const message = 'the target has a row with this key already';
    return { column, reasonCode: 'TARGET_REFUSED', message };
  }

  #isChanged(index: number): RowProblem {
    const copied = copiedColumns(this.#table);
    const message = 'the target stores the value otherwise than it was sent';
    return { column: copied[index]?.source ?? '', reasonCode: 'TARGET_REFUSED', message };
  }
}

/** Stands for a row that an earlier call, or another worker, has brought. */
const ALREADY_THERE: RowProblem = { column: '', reasonCode: 'TARGET_REFUSED', message: '' };

/** What is asked for now goes before what the plan says of a column. */
function withPolicies(table: PlannedTable, policies: Partial<Policies>): PlannedTable {
  const columns = table.columns.map((column) =>
    column.policies === undefined
      ? column
      : { ...column, policies: { ...column.policies, ...policies } },
  );
  return { ...table, columns };
}

const MAX_PREVIEW = 60;

/** The row's key for a person, as verification names rows: of a row without a key, the beginning of every value. */
function labelOf(table: PlannedTable, fields: readonly (string | null)[]): RowKey {
  const columns = copiedColumns(table).map(({ source }) => source);
  const names = table.rowKey.length > 0 ? table.rowKey : columns;
  return Object.fromEntries(
    names.map((name) => [name, preview(fields[columns.indexOf(name)] ?? null)]),
  );
}

function preview(field: string | null): string | null {
  if (field === null || field.length <= MAX_PREVIEW) return field;
  // Half a character is no text: the ledger could not store it.
  return `${field.slice(0, MAX_PREVIEW).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
