import { MigrationJob } from '../../../src/models/migration-job.ts';
import { MigrationLog } from '../../../src/models/migration-log.ts';
import { BY_SEQ, findPage, NEWEST_FIRST } from '../../../src/models/pagination.ts';
import { buildConnection, buildJob, openHubDatabase, type HubDatabase } from './hub-database.ts';

let database: HubDatabase;
let endpoints: { sourceId: string; targetId: string };

beforeAll(async () => {
  database = await openHubDatabase();
  const connection = await buildConnection();
  endpoints = { sourceId: connection.id, targetId: connection.id };
});

afterAll(async () => {
  await database.close();
});

async function buildJobs(name: string, createdAt: readonly Date[]): Promise<MigrationJob[]> {
  return MigrationJob.bulkCreate(createdAt.map((at) => ({ ...endpoints, name, createdAt: at })));
}

/** `count` moments of which about three each are the same. */
function moments(count: number): Date[] {
  return Array.from(
    { length: count },
    (_, index) => new Date(1_790_000_000_000 + Math.floor(index / 3)),
  );
}

describe('findPage', () => {
  it('gives each row that was there once, in order, while rows come in before and after', async () => {
    const before = await buildJobs('paged', moments(100));
    const seen: string[] = [];
    let cursor: string | null = null;

    do {
      const page: Awaited<ReturnType<typeof findPage<MigrationJob>>> = await findPage(
        MigrationJob,
        {
          where: { name: 'paged' },
          order: NEWEST_FIRST,
          limit: 7,
          cursor,
        },
      );
      seen.push(...page.rows.map(({ id }) => id));
      cursor = page.nextCursor;
      await buildJobs('paged', [
        new Date(),
        new Date(1_790_000_000_010),
        new Date(1_780_000_000_000),
      ]);
    } while (cursor !== null && seen.length < 500);

    const known = new Set(before.map(({ id }) => id));
    const expected = before
      .toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1))
      .map(({ id }) => id);
    expect(seen.filter((id) => known.has(id))).toEqual(expected);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('ends without a cursor when the last page is exactly full', async () => {
    await buildJobs('exact', moments(4));
    const request = { where: { name: 'exact' }, order: NEWEST_FIRST, limit: 2 };

    const first = await findPage(MigrationJob, request);
    const second = await findPage(MigrationJob, { ...request, cursor: first.nextCursor });

    expect([first.rows.length, second.rows.length]).toEqual([2, 2]);
    expect(first.nextCursor).toMatch(/^[\w-]+$/);
    expect(second.nextCursor).toBeNull();
  });

  it('gives an empty page for nothing', async () => {
    const page = await findPage(MigrationJob, {
      where: { name: 'nobody' },
      order: NEWEST_FIRST,
      limit: 5,
    });

    expect(page).toEqual({ rows: [], nextCursor: null });
  });

  it('follows a log by its numbers', async () => {
    const job = await buildJob();
    await MigrationLog.append(
      job.id,
      Array.from({ length: 25 }, (_, index) => ({
        level: 'info' as const,
        message: String(index),
      })),
    );
    const request = { where: { jobId: job.id }, order: BY_SEQ, limit: 10 };

    const first = await findPage(MigrationLog, request);
    const second = await findPage(MigrationLog, { ...request, cursor: first.nextCursor });
    const third = await findPage(MigrationLog, { ...request, cursor: second.nextCursor });

    const seqs = [first, second, third].flatMap(({ rows }) => rows.map(({ seq }) => seq));
    expect(seqs).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
    expect(third.nextCursor).toBeNull();
  });

  describe('refuses', () => {
    const request = { where: { name: 'refused' }, order: NEWEST_FIRST, limit: 1 };
    let cursor: string;

    beforeAll(async () => {
      await buildJobs('refused', moments(3));
      cursor = (await findPage(MigrationJob, request)).nextCursor ?? '';
    });

    function tamper(change: (parts: unknown[]) => unknown): string {
      const parts = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
      return Buffer.from(JSON.stringify(change(parts))).toString('base64url');
    }

    it.each([
      ['an empty one', () => ''],
      ['no base64url', () => `${cursor}!`],
      ['padding', () => `${cursor}=`],
      ['no JSON', () => Buffer.from('[1,').toString('base64url')],
      ['no list', () => tamper(() => ({ a: 1 }))],
      ['an empty list', () => tamper(() => [])],
      ['another version', () => tamper((parts) => [2, ...parts.slice(1)])],
      ['a key that is cut off', () => tamper((parts) => parts.slice(0, -1))],
      ['a key that is too long', () => tamper((parts) => [...parts, 1])],
      ['SQL for a moment', () => tamper(([a, b, , d]) => [a, b, "'; DROP TABLE users; --", d])],
      [
        'a day that there is not',
        () => tamper(([a, b, , d]) => [a, b, '2024-13-30T00:00:00.000Z', d]),
      ],
      ['an object for an id', () => tamper(([a, b, c]) => [a, b, c, { ne: null }])],
      ['a NUL for an id', () => tamper(([a, b, c]) => [a, b, c, '\u0000'])],
      ['more than 512 characters', () => tamper((parts) => [...parts, 'x'.repeat(600)])],
    ])('%s', async (_name, forge) => {
      await expect(findPage(MigrationJob, { ...request, cursor: forge() })).rejects.toMatchObject({
        code: 'INVALID_CURSOR',
        details: { field: 'cursor' },
      });
    });

    it('the cursor of another filter', async () => {
      const other = findPage(MigrationJob, { ...request, where: { name: 'other' }, cursor });

      await expect(other).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
    });
  });
});
