import type { EncodedBatch, SourceSnapshot } from '../../../src/engine/contract.ts';
import { SOURCE_DRIVERS } from '../../../src/engine/sources/registry.ts';
import { makeCsvFolder, type CsvFolder } from '../../helpers/csv-files.ts';
import { startTestEngine, type TestEngine } from '../../helpers/engine.ts';

describe('rows of CSV files that do not arrive as they are', () => {
  let engine: TestEngine;
  let folder: CsvFolder;

  beforeAll(async () => {
    engine = await startTestEngine();
    folder = await makeCsvFolder();
  }, 60_000);
  afterAll(async () => {
    await engine.close();
    await folder.remove();
  });

  it('are found by full verification, and only by it, where the encoder is broken', async () => {
    const location = await folder.write({ t: 'id,day\n1,2024-02-28\n2,2024-03-01\n' });
    const job = engine.buildJob({ kind: 'csv', location }, { targetSchema: 'broken' });
    await job.create();
    await job.copy(undefined, withBrokenEncoder(await job.openSnapshot()));
    await job.finish();

    const [checksum] = await job.verify('checksum');
    const [full] = await job.verify('full');

    expect(await engine.sql('SELECT day::text FROM broken.t ORDER BY id')).toEqual([
      { day: '2024-02-29' },
      { day: '2024-03-01' },
    ]);
    expect(checksum?.verdict).toBe('passed');
    expect(full).toMatchObject({ verdict: 'failed', rowsExpected: 2, rowsFound: 2 });
  });

  it('are named by their record where PostgreSQL itself refuses them', async () => {
    await engine.sql(
      `CREATE SCHEMA refusing; CREATE TABLE refusing.t (id bigint, day date CHECK (day < '2030-01-01'), v text)`,
    );
    const location = await folder.write({
      t: 'id,day,v\n1,2024-02-28,a\n2,2031-01-01,"b\nb"\n3,0000-00-00,\n4,2029-12-31,d\n',
    });
    const job = engine.buildJob(
      { kind: 'csv', location },
      { targetSchema: 'refusing', onExisting: 'append' },
    );
    await job.create();
    await job.copy();

    const [reject, ...others] = [...job.journal.rejects.values()].flat();
    expect(others).toEqual([]);
    expect(reject).toMatchObject({
      reasonCode: 'TARGET_REFUSED',
      key: { record: '2' },
      locator: '2',
      row: { id: { type: 'text', value: '2' }, v: { type: 'text', value: 'b\nb' } },
    });
    expect([...job.journal.adjustments.values()].flat()).toMatchObject([
      { column: 'day', rule: 'ZERO_DATE', count: 1 },
    ]);
    expect(await engine.sql('SELECT count(*)::int AS rows FROM refusing.t')).toEqual([{ rows: 3 }]);
  });

  it('are encoded as the file would have them when they are mended', async () => {
    const location = await folder.write({ t: 'id,day,v\n1,31/12/2024,a\n2,30/11/2024\n' });
    const job = engine.buildJob({ kind: 'csv', location }, { targetSchema: 'mended' });
    const { tables, options } = await job.plan();
    const [table] = tables;
    const { encodeRow } = SOURCE_DRIVERS.csv;
    if (table === undefined || encodeRow === undefined)
      throw new Error('there is nothing to encode');
    const encode = (row: Parameters<typeof encodeRow>[0]['row']): unknown => {
      const encoded = encodeRow({ table, row, policies: options.policies });
      return 'line' in encoded
        ? [Buffer.from(encoded.line).toString(), encoded.adjustments]
        : encoded.problem;
    };

    expect(
      encode({
        id: { type: 'integer', value: '9223372036854775807' },
        day: { type: 'text', value: '1/2/2024' },
        v: { type: 'text', value: 'tab\there' },
      }),
    ).toEqual(['9223372036854775807\t2024-02-01\ttab\\there\n', []]);
    expect(encode({ id: { type: 'text', value: '2' }, day: { type: 'text', value: '' } })).toEqual([
      '2\t\\N\t\\N\n',
      [{ column: 'day', rule: 'EMPTY_DATE' }],
    ]);
    expect(encode({ id: { type: 'text', value: 'two' } })).toMatchObject({
      column: 'id',
      reasonCode: 'TYPE_MISMATCH',
    });
  });
});

/** Takes the 28th for the 29th. */
function withBrokenEncoder(snapshot: SourceSnapshot): SourceSnapshot {
  return {
    level: snapshot.level,
    lanes: snapshot.lanes,
    countRows: (request) => snapshot.countRows(request),
    readCanonical: (request) => snapshot.readCanonical(request),
    close: () => snapshot.close(),
    async *readChunk(request): AsyncGenerator<EncodedBatch> {
      for await (const batch of snapshot.readChunk(request)) {
        const lines = Buffer.from(batch.lines).toString('latin1').replaceAll('-28', '-29');
        yield { ...batch, lines: Buffer.from(lines, 'latin1') };
      }
    },
  };
}
