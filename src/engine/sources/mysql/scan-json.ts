import type { ColumnScan, RowKey } from '../../contract.ts';
import { jsonbText, type JsonbProblem } from '../../types/jsonb-text.ts';
import { readExpression, selectList } from '../../types/mysql-sql.ts';
import { Cells } from './cells.ts';
import type { MysqlConnection } from './connection.ts';
import { MAX_SAMPLES } from './row-keys.ts';
import type { ScannedColumn } from './scan-facts.ts';
import { rowKeyValue, sourceValue } from './source-value.ts';
import type { TableAccess } from './table-access.ts';

const FACTS: Readonly<Record<JsonbProblem, string>> = {
  syntax: 'jsonInvalid',
  tooDeep: 'jsonInvalid',
  nul: 'jsonNul',
  duplicateKey: 'jsonDuplicateKey',
  number: 'jsonUnfit',
  surrogate: 'jsonUnfit',
};

/** Rows between two looks at whether anybody still wants the answer. */
const ROWS_A_TURN = 5_000;

/** Reads the JSON columns through: what `jsonb` cannot hold is not to be told in SQL. Adds the facts to `scans`. */
export async function scanJson(
  connection: MysqlConnection,
  request: {
    readonly access: TableAccess;
    readonly columns: readonly ScannedColumn[];
    readonly scans: Record<string, ColumnScan>;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { access, scans, signal } = request;
  const columns = request.columns.filter(({ source }) => source.family === 'json');
  if (columns.length === 0) return;
  const keys = access.primaryKey.flatMap((name) => {
    const source = access.columns.get(name);
    return source === undefined ? [] : [{ name, source }];
  });
  const select = [...columns, ...keys].map(({ source }) => readExpression(source));
  const cells = new Cells(select.length);
  const tallies = columns.map(() => ({
    facts: new Map<string, number>(),
    samples: new Map<string, RowKey[]>(),
  }));
  let row = 0;
  const keyOf = (): RowKey =>
    Object.fromEntries(
      keys.map(({ name, source }, index) => [
        name,
        rowKeyValue(sourceValue(cells.view(columns.length + index), source)),
      ]),
    );
  const onRow = (packet: Parameters<Cells['read']>[0]): boolean => {
    cells.read(packet);
    for (const [index, tally] of tallies.entries()) {
      if (cells.isNull(index)) continue;
      const outcome = jsonbText(cells.text(index));
      if (!('problem' in outcome)) continue;
      const fact = FACTS[outcome.problem];
      tally.facts.set(fact, (tally.facts.get(fact) ?? 0) + 1);
      const samples = tally.samples.get(fact) ?? [];
      if (keys.length > 0 && samples.length < MAX_SAMPLES) samples.push(keyOf());
      tally.samples.set(fact, samples);
    }
    return ++row % ROWS_A_TURN === 0;
  };
  const sql = `SELECT ${selectList(select)} FROM ${access.sql}`;
  const rows = connection.stream<never>(sql, { onRow, take: () => null }, signal);
  await rows.next();
  for (const [index, column] of columns.entries()) {
    const scan = scans[column.name];
    const tally = tallies[index];
    if (scan === undefined || tally === undefined) continue;
    scans[column.name] = {
      ...scan,
      facts: { ...scan.facts, ...Object.fromEntries(tally.facts) },
      samples: { ...scan.samples, ...Object.fromEntries(tally.samples) },
    };
  }
}
