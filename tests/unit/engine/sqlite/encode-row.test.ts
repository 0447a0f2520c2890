import type { DatabaseSync } from 'node:sqlite';

import { completeOptions, type SourceValue } from '../../../../src/engine/contract.ts';
import { openSource, SOURCE_DRIVERS } from '../../../../src/engine/sources/registry.ts';
import { plan } from '../../../../src/engine/steps/plan.ts';
import { buildLegacySqlite } from '../../../helpers/legacy-sqlite.ts';

const TYPES = [
  'INTEGER',
  'BIGINT',
  'REAL',
  'DOUBLE PRECISION',
  'NUMERIC',
  'DECIMAL(20,6)',
  'TEXT',
  'VARCHAR(20)',
  'BLOB',
  '',
];

const CASTS = [
  ['TEXT', 'integer'],
  ['', 'real'],
  ['', 'varchar(6)'],
  ['NUMERIC', 'jsonb'],
] as const;

const GIVEN: readonly SourceValue[] = [
  null,
  ...['0', '12', ' 12 ', '+7', '-0', '1.0', '1.50', '.5', '5.', '1e3', '1E-7', '1e400', '0x10'].map(
    text,
  ),
  ...[
    '9223372036854775807',
    '9223372036854775808',
    '12345678901234567890123',
    '9007199254740993',
  ].map(text),
  ...[
    '0.1',
    '123456789012345678.9',
    '1e15',
    '1e14',
    '0.0001',
    '0.00001',
    '',
    'abc',
    '1 2',
    '١',
  ].map(text),
  { type: 'integer', value: '5' },
  { type: 'integer', value: '-9223372036854775808' },
  ...['0.1', '2', '1e20', '1e-5', '100000', '123456.789', '-0', '1e15', '999999999999999'].map(
    (value): SourceValue => ({ type: 'real', value }),
  ),
  { type: 'blob', base64: 'AP8=' },
  { type: 'blob', base64: 'YWJj' },
];

function text(value: string): SourceValue {
  return { type: 'text', value };
}

/** As SQLite takes it. */
function toParameter(value: SourceValue): null | bigint | number | string | Uint8Array {
  if (value === null) return null;
  if ('base64' in value) return Buffer.from(value.base64, 'base64');
  if (value.type === 'integer') return BigInt(value.value);
  return value.type === 'real' ? Number(value.value) : value.value;
}

describe('encodeRow of SQLite', () => {
  const { encodeRow } = SOURCE_DRIVERS.sqlite;

  it.each([...TYPES.map((type) => [type, 'no type'] as const), ...CASTS])(
    'writes values for a %s column, cast to %s, as if SQLite had stored them there',
    async (type, cast) => {
      const file = await buildLegacySqlite(
        `CREATE TABLE t (id INTEGER PRIMARY KEY, v ${type})`,
        (db: DatabaseSync) => {
          const insert = db.prepare('INSERT INTO t VALUES (?, ?)');
          for (const [id, value] of GIVEN.entries()) insert.run(id, toParameter(value));
        },
      );
      const source = openSource('sqlite', { path: file.path });
      const { signal } = new AbortController();
      const catalog = await source.readCatalog(signal);
      const [listed] = catalog.tables;
      if (listed === undefined) throw new Error('no table');
      const scans = [await source.scanTable({ table: listed, chunkRows: 1000, signal })];
      const options = completeOptions(cast === 'no type' ? {} : { casts: { 't.v': cast } });
      const [table] = plan({ catalog, scans, findings: [], fingerprint: '' }, options).tables;
      const [chunk] = table?.chunks ?? [];
      if (table === undefined || chunk === undefined) throw new Error('no plan');
      const { policies } = options;

      const expected = new Map<string, string>();
      const snapshot = await source.openSnapshot({ lanes: 1, consistency: 'none' });
      for await (const batch of snapshot.readChunk({
        lane: 0,
        table,
        chunk,
        policies,
        signal,
        describe: true,
      })) {
        const lines = Buffer.from(batch.lines).toString('utf8').split('\n');
        for (const [index, { locator }] of (batch.described ?? []).entries())
          expected.set(locator, `${lines[index] ?? ''}\n`);
        for (const { locator, reasonCode } of batch.rejects) expected.set(locator, reasonCode);
      }
      await snapshot.close();
      await source.close();
      await file.remove();

      const actual = GIVEN.map((value, id) => {
        const row = { id: { type: 'integer', value: String(id) }, v: value } as const;
        const encoded = encodeRow?.({ table, row, policies });
        if (encoded === undefined) return 'nothing';
        return 'problem' in encoded
          ? encoded.problem.reasonCode
          : Buffer.from(encoded.line).toString('utf8');
      });
      expect(GIVEN.map((value, id) => [value, actual[id]])).toEqual(
        GIVEN.map((value, id) => [value, expected.get(String(id))]),
      );
    },
  );
});
