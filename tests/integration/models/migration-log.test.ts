import { MigrationJob } from '../../../src/models/migration-job.ts';
import { MigrationLog, type LogEntry } from '../../../src/models/migration-log.ts';
import { inTransaction } from '../../../src/models/transaction.ts';
import { buildJob, openHubDatabase, type HubDatabase } from './hub-database.ts';

let database: HubDatabase;

beforeAll(async () => {
  database = await openHubDatabase();
});

afterAll(async () => {
  await database.close();
});

const entry = (message: string): LogEntry => ({ level: 'info', message });

describe('MigrationLog.append', () => {
  it('numbers without gap or duplicate under 8 writers, some of which fail', async () => {
    const job = await buildJob();
    const writer = async (name: number) => {
      for (let round = 0; round < 10; round += 1) {
        const entries = Array.from({ length: 1 + ((name + round) % 4) }, (_, part) =>
          entry(`${String(name)}/${String(round)}/${String(part)}`),
        );
        await MigrationLog.append(job.id, entries);
        await inTransaction(database.sequelize, async (transaction) => {
          await MigrationLog.append(job.id, entries, transaction);
          throw new Error('rolled back');
        }).catch(() => undefined);
      }
    };

    await Promise.all(Array.from({ length: 8 }, (_, name) => writer(name)));

    const rows = await MigrationLog.findAll({ where: { jobId: job.id }, order: [['seq', 'ASC']] });
    await job.reload();
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
    expect(rows).toHaveLength(200);
    expect(job.logSeq).toBe(200);
  });

  it('keeps the order of the entries and gives the rows with their numbers', async () => {
    const job = await buildJob();

    await MigrationLog.append(job.id, [entry('one')]);
    const rows = await MigrationLog.append(job.id, [
      { level: 'warn', message: 'two', phase: 'copy', tableName: 't', detail: { chunk: 4 } },
      entry('three'),
    ]);

    expect(rows.map(({ seq, message }) => [seq, message])).toEqual([
      [2, 'two'],
      [3, 'three'],
    ]);
    const stored = await MigrationLog.findOne({ where: { jobId: job.id, seq: 2 } });
    expect(stored).toMatchObject({ phase: 'copy', tableName: 't', detail: { chunk: 4 } });
  });

  it('leaves the version and the time of the last change of the job as they are', async () => {
    const job = await buildJob();

    await MigrationLog.append(job.id, [entry('one')]);

    const after = await MigrationJob.findByPk(job.id, { rejectOnEmpty: true });
    expect(after.version).toBe(job.version);
    expect(after.updatedAt).toEqual(job.updatedAt);
  });

  it('does nothing for no entries, and refuses a job that is not there', async () => {
    const missing = '019f0000-0000-7000-8000-000000000000';

    expect(await MigrationLog.append(missing, [])).toEqual([]);
    await expect(MigrationLog.append(missing, [entry('x')])).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
