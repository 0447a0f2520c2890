import { isAppError } from '../../src/errors/app-error.ts';
import {
  DEFAULT_JOB_OPTIONS,
  type Catalog,
  type EncodedBatch,
  type Plan,
  type PlannedTable,
  type Source,
  type SourceKind,
  type SourceSnapshot,
  type SourceValue,
  type TableScan,
} from '../../src/engine/contract.ts';
import {
  openSource,
  SOURCE_DRIVERS,
  type SourceLocations,
} from '../../src/engine/sources/registry.ts';
import { plan } from '../../src/engine/steps/plan.ts';

/** A legacy database that a source is tried on. */
export interface SourceFixture<Kind extends SourceKind> {
  readonly location: SourceLocations[Kind];
  /** A location where there is nothing, or nothing readable. */
  readonly nowhere: SourceLocations[Kind];
  /** Rows of each table. */
  readonly rows: Readonly<Record<string, number>>;
  remove(): Promise<void>;
}

const { policies } = DEFAULT_JOB_OPTIONS;
/** Few rows a chunk, so that small tables are cut too. */
const CHUNK_ROWS = 2;

/** What every source has to hold, whatever it is. Call it from the source's own test file. */
export function describeSourceContract<Kind extends SourceKind>(
  kind: Kind,
  build: () => Promise<SourceFixture<Kind>>,
): void {
  describe(`the contract of a source: ${kind}`, () => {
    let fixture: SourceFixture<Kind>;
    let source: Source;
    let catalog: Catalog;
    let scans: TableScan[];
    let planned: Plan;
    const never = new AbortController().signal;

    beforeAll(async () => {
      fixture = await build();
      source = openSource(kind, fixture.location);
      catalog = await source.readCatalog(never);
      scans = [];
      for (const table of catalog.tables)
        scans.push(await source.scanTable({ table, chunkRows: CHUNK_ROWS, signal: never }));
      planned = plan(
        { catalog, scans, findings: [], fingerprint: '' },
        { ...DEFAULT_JOB_OPTIONS, chunkRows: CHUNK_ROWS },
      );
    });
    afterAll(async () => {
      await source.close();
      await fixture.remove();
    });

    it('names its product and version', async () => {
      expect(await source.version()).toBe(catalog.version);
      expect(catalog.kind).toBe(kind);
    });

    it('gives the same catalog each time, sorted and as plain JSON', async () => {
      const again = await source.readCatalog(never);

      expect(again).toEqual(catalog);
      expect(JSON.parse(JSON.stringify(catalog))).toEqual(catalog);
      const names = catalog.tables.map(({ name }) => name);
      expect(names).toEqual([...names].sort());
      expect(names).toEqual(Object.keys(fixture.rows).sort());
    });

    it('gives the same scan each time', async () => {
      for (const [position, table] of catalog.tables.entries()) {
        expect(await source.scanTable({ table, chunkRows: CHUNK_ROWS, signal: never })).toEqual(
          scans[position],
        );
      }
    });

    it('scans every row and every column', () => {
      for (const [position, table] of catalog.tables.entries()) {
        const scan = scans[position];
        expect(scan).toMatchObject({ table: table.name, rows: fixture.rows[table.name] });
        expect(Object.keys(scan?.columns ?? {}).sort()).toEqual(
          table.columns.map(({ name }) => name).sort(),
        );
      }
    });

    it('decides every column, the same each time', () => {
      const { decideColumn } = SOURCE_DRIVERS[kind];
      for (const [position, table] of catalog.tables.entries()) {
        for (const column of table.columns) {
          const scan = scans[position]?.columns[column.name];
          if (scan === undefined) throw new Error(`no scan of ${column.name}`);
          const request = { table, column, scan, rows: scans[position]?.rows ?? 0, policies };

          expect(decideColumn(request)).toEqual(decideColumn(request));
          expect(decideColumn(request).evidence).toContain(decideColumn(request).targetType);
        }
      }
    });

    describe('a snapshot', () => {
      let snapshot: SourceSnapshot;
      beforeAll(async () => {
        snapshot = await source.openSnapshot({ lanes: 2, consistency: 'snapshot' });
      });
      afterAll(() => snapshot.close());

      it('is one moment where the source can', () => {
        expect(snapshot.level).toBe(source.capabilities.snapshot ? 'snapshot' : 'none');
        expect(snapshot.lanes).toBeGreaterThanOrEqual(1);
        expect(snapshot.lanes).toBeLessThanOrEqual(2);
      });

      it('counts the rows that are there', async () => {
        for (const table of planned.tables) {
          expect(await snapshot.countRows({ lane: 0, table, signal: never })).toBe(
            fixture.rows[table.source],
          );
        }
      });

      it('gives every row in exactly one chunk, as a line or as a reject', async () => {
        for (const table of planned.tables) {
          const chunks = await readAll(snapshot, table);
          const whole = await readAll(snapshot, {
            ...table,
            chunks: [{ number: 1, lower: null, upper: null }],
          });

          expect(chunks.rowsRead).toBe(fixture.rows[table.source]);
          expect(chunks.rowsEncoded + chunks.locators.length).toBe(chunks.rowsRead);
          expect(chunks.lines.length).toBe(chunks.rowsEncoded);
          expect(new Set(chunks.locators).size).toBe(chunks.locators.length);
          expect(chunks.lines).toEqual(whole.lines);
          expect(chunks.locators).toEqual(whole.locators);
          if (table.chunks.length > 1) expect(source.capabilities.keysetChunks).toBe(true);
        }
      });

      it('writes as many fields as columns are copied', async () => {
        for (const table of planned.tables) {
          const copied = table.columns.filter(
            ({ generatedExpression }) => generatedExpression === null,
          ).length;
          const { lines } = await readAll(snapshot, table);
          expect(lines.every((line) => line.split('\t').length === copied)).toBe(true);
        }
      });

      it('describes rejects in JSON, by key and reason', async () => {
        for (const table of planned.tables) {
          const { batches } = await readAll(snapshot, table);
          for (const reject of batches.flatMap(({ rejects }) => rejects)) {
            expect(JSON.parse(JSON.stringify(reject))).toEqual(reject);
            expect(table.columns.map(({ source: name }) => name)).toContain(reject.column);
            expect(Object.keys(reject.key).length).toBeGreaterThan(0);
          }
        }
      });

      it('names the row of each line where it is asked to, and encodes it out of that again', async () => {
        const { encodeRow } = SOURCE_DRIVERS[kind];
        for (const table of planned.tables) {
          const plain = await readAll(snapshot, table);
          const named = await readAll(snapshot, table, true);
          const described = named.batches.flatMap((batch) => batch.described ?? []);

          expect(named.lines).toEqual(plain.lines);
          expect(named.locators).toEqual(plain.locators);
          expect(described.length).toBe(named.lines.length);
          expect(new Set(described.map(({ locator }) => locator)).size).toBe(described.length);
          expect(JSON.parse(JSON.stringify(described))).toEqual(described);
          expect(described.flatMap(({ adjustments }) => adjustments).length).toBe(
            plain.batches
              .flatMap(({ adjustments }) => adjustments)
              .reduce((sum, { count }) => sum + count, 0),
          );
          for (const [index, { row, adjustments }] of described.entries()) {
            const whole = row as Readonly<Record<string, SourceValue>>;
            const encoded = encodeRow?.({ table, row: whole, policies });
            if (encoded === undefined || 'problem' in encoded)
              throw new Error(`${table.source}: ${JSON.stringify([row, encoded])}`);
            expect([table.source, Buffer.from(encoded.line).toString('latin1')]).toEqual([
              table.source,
              `${named.lines[index] ?? ''}\n`,
            ]);
            expect(encoded.adjustments).toEqual(adjustments);
          }
          for (const reject of plain.batches.flatMap(({ rejects }) => rejects)) {
            const whole = reject.row as Readonly<Record<string, SourceValue>>;
            const { column, reasonCode } = reject;
            // A ragged record is no row: nobody encodes it before all of its values are given.
            if (reasonCode === 'RAGGED_ROW') continue;
            expect(encodeRow?.({ table, row: whole, policies })).toMatchObject({
              problem: { column, reasonCode },
            });
          }
        }
      });

      it('renders the same rows canonically, less those that were rejected', async () => {
        for (const table of planned.tables) {
          const { locators, rowsEncoded } = await readAll(snapshot, table);
          const lines = await readCanonical(snapshot, table, new Set(locators));

          expect(lines.length).toBe(rowsEncoded);
          for (const line of lines) {
            expect(line.split('\t').length).toBe(table.columns.length);
            expect(line.replaceAll('\\N', '')).not.toContain('\\');
          }
        }
      });

      it('stops when it is cancelled, with the reason of the signal', async () => {
        const controller = new AbortController();
        const [table] = planned.tables;
        const [chunk] = table?.chunks ?? [];
        if (table === undefined || chunk === undefined) throw new Error('the fixture has no table');
        controller.abort(new Error('enough'));

        const request = { lane: 0, table, chunk, policies, signal: controller.signal };

        await expect(drain(snapshot.readChunk(request))).rejects.toThrow('enough');
        await expect(
          drain(snapshot.readCanonical({ ...request, excluding: new Set() })),
        ).rejects.toThrow('enough');
        await expect(
          snapshot.countRows({ lane: 0, table, signal: controller.signal }),
        ).rejects.toThrow('enough');
        await expect(source.readCatalog(controller.signal)).rejects.toThrow('enough');
        expect(await snapshot.countRows({ lane: 0, table, signal: never })).toBe(
          fixture.rows[table.source],
        );
      });
    });

    it('may be closed twice', async () => {
      const other = openSource(kind, fixture.location);
      const snapshot = await other.openSnapshot({ lanes: 1, consistency: 'none' });
      expect(snapshot.level).toBe('none');

      await snapshot.close();
      await snapshot.close();
      await other.close();
      await other.close();

      const error: unknown = await other.version().catch((reason: unknown) => reason);
      expect(isAppError(error)).toBe(true);
    });

    it('fails with a code of its own where there is nothing to read', async () => {
      const other = openSource(kind, fixture.nowhere);
      const error: unknown = await other.version().catch((reason: unknown) => reason);
      await other.close();

      expect(isAppError(error) ? error.code : error).toMatch(/^SOURCE_/);
    });

    interface Read {
      readonly batches: readonly EncodedBatch[];
      readonly rowsRead: number;
      readonly rowsEncoded: number;
      readonly lines: readonly string[];
      readonly locators: readonly string[];
    }

    async function readAll(
      snapshot: SourceSnapshot,
      table: PlannedTable,
      describe = false,
    ): Promise<Read> {
      const batches: EncodedBatch[] = [];
      for (const chunk of table.chunks) {
        const lane = chunk.number % snapshot.lanes;
        for await (const batch of snapshot.readChunk({
          lane,
          table,
          chunk,
          policies,
          signal: never,
          describe,
        }))
          batches.push(batch);
      }
      const text = Buffer.concat(batches.map(({ lines }) => lines)).toString('latin1');
      return {
        batches,
        rowsRead: batches.reduce((sum, batch) => sum + batch.rowsRead, 0),
        rowsEncoded: batches.reduce((sum, batch) => sum + batch.rowsEncoded, 0),
        lines: text.split('\n').slice(0, -1),
        locators: batches.flatMap(({ rejects }) => rejects.map(({ locator }) => locator)),
      };
    }

    async function readCanonical(
      snapshot: SourceSnapshot,
      table: PlannedTable,
      excluding: ReadonlySet<string>,
    ): Promise<string[]> {
      const parts: Uint8Array[] = [];
      let rows = 0;
      for (const chunk of table.chunks) {
        const batches = snapshot.readCanonical({
          lane: 0,
          table,
          chunk,
          policies,
          excluding,
          signal: never,
        });
        for await (const batch of batches) {
          parts.push(batch.lines);
          rows += batch.rows;
        }
      }
      const lines = Buffer.concat(parts).toString('latin1').split('\n').slice(0, -1);
      expect(lines.length).toBe(rows);
      return lines;
    }
  });
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
}
