import { createHash } from 'node:crypto';

import { DEFAULT_JOB_OPTIONS, type EncodedBatch } from '../../../../src/engine/contract.ts';
import { renderCanonical } from '../../../../src/engine/sources/sqlite/read-canonical.ts';
import { encodeChunk } from '../../../../src/engine/sources/sqlite/read-chunk.ts';
import { canonicalTargetExpression } from '../../../../src/engine/types/sqlite-canonical.ts';
import { buildLegacySqlite } from '../../../helpers/legacy-sqlite.ts';
import { plannedTable, planSqlite } from '../../../helpers/legacy-sqlite-plan.ts';
import { copyThrough, openCopySession } from '../types/copy-round-trip.ts';

const BYTES = 50 * 1024 * 1024;

describe('a value of 50 MB', () => {
  it('arrives, in a batch of its own, and is compared by its hash', async () => {
    const session = await openCopySession();
    const file = await buildLegacySqlite(`
      CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB, s TEXT);
      INSERT INTO t VALUES (1, x'01', 'small'), (2, zeroblob(${String(BYTES)}), printf('%.*c', ${String(BYTES)}, 'é\\')), (3, x'03', 'small')`);
    const planned = planSqlite(file.path);
    try {
      const table = plannedTable(planned, 't');
      const request = {
        table,
        chunk: { number: 1, lower: null, upper: null },
        policies: DEFAULT_JOB_OPTIONS.policies,
      };

      const batches: EncodedBatch[] = [...encodeChunk(planned.database, request)];
      const lines = Buffer.concat(batches.map((batch) => batch.lines));
      const canonical = [
        ...renderCanonical(planned.database, { ...request, excluding: new Set() }),
      ];

      const columns = 'id bigint, b bytea, s text';
      const select = table.columns.map(canonicalTargetExpression).join(', ');
      const target = await copyThrough(session, { columns, lines, select });
      expect(batches.map(({ rowsEncoded }) => rowsEncoded)).toEqual([2, 1]);
      expect(
        createHash('sha256')
          .update(await copyThrough(session, { columns, lines }))
          .digest('hex'),
      ).toBe(createHash('sha256').update(lines).digest('hex'));
      expect(Buffer.concat(canonical.map((batch) => batch.lines)).toString()).toBe(
        target.toString(),
      );
      expect(target.length).toBeLessThan(1000);
    } finally {
      planned.database.db.close();
      await file.remove();
      await session.end();
    }
  }, 120_000);
});
