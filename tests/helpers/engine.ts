import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';

import pg from 'pg';

import {
  completeOptions,
  type Adjustment,
  type Chunk,
  type PartialJobOptions,
  type Plan,
  type PlannedTable,
  type Policies,
  type Reject,
  type Source,
  type SourceSnapshot,
  type SourceValue,
  type VerifyMode,
} from '../../src/engine/contract.ts';
import { openSource, type SourceAddress } from '../../src/engine/sources/registry.ts';
import { assess } from '../../src/engine/steps/assess.ts';
import { copy, type ChunkJournal } from '../../src/engine/steps/copy.ts';
import { create } from '../../src/engine/steps/create.ts';
import { finish, type FinishEvent } from '../../src/engine/steps/finish.ts';
import { plan } from '../../src/engine/steps/plan.ts';
import { replay, type ReplayProblems } from '../../src/engine/steps/replay.ts';
import { rollback, type RollbackResult } from '../../src/engine/steps/rollback.ts';
import { verify, type TableVerdict } from '../../src/engine/steps/verify.ts';
import { Ledger, type LedgerChunk, type LedgerObject } from '../../src/engine/target/ledger.ts';
import { Target, type TargetLocation } from '../../src/engine/target/target.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/** What fills a SQLite file: SQL, or a function that has the open database. */
export type Content = string | ((db: DatabaseSync) => void);

/** An empty target database and a folder for legacy files. */
export interface TestEngine {
  readonly database: TestDatabase;
  readonly location: TargetLocation;
  readonly target: Target;
  /** Runs SQL in the target by hand, and gives the rows. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** A session of its own in the target, for locks by hand. Closed with the engine. */
  connect(): Promise<pg.PoolClient>;
  /** Waits until sessions of the engine wait for a lock that somebody else holds, or (false) until none does. */
  untilWaiting(expected?: boolean): Promise<void>;
  /** Makes a new SQLite file; gives its path. */
  buildLegacyFile(content: Content): string;
  /** A job that moves a source (a path is that of a SQLite file) into the target. What it opens is closed with the engine. */
  buildJob(
    source: string | SourceAddress,
    options?: PartialJobOptions,
    overrides?: JobOverrides,
  ): TestJob;
  /** Another way to the same target, or to another one. Closed with the engine. */
  openTarget(location?: Partial<TargetLocation>): Target;
  close(): Promise<void>;
}

export interface JobOverrides {
  readonly jobId?: string;
  readonly target?: Target;
  /** A plan that was made before, for a job whose source cannot be assessed any more. */
  readonly plan?: Plan;
}

/** A target's location out of its URL. */
export function locationOf(url: string): TargetLocation {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname,
    port: Number(port),
    database: pathname.slice(1),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    ssl: 'disable',
  };
}

export async function startTestEngine(): Promise<TestEngine> {
  const database = await createTestDatabase();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'hub-engine-'));
  const location = locationOf(database.url);
  const hand = new pg.Pool({ connectionString: database.url, max: 10 });
  hand.on('error', () => undefined);
  const targets: Target[] = [];
  const jobs: TestJob[] = [];
  const sessions: pg.PoolClient[] = [];
  const openTarget: TestEngine['openTarget'] = (changes = {}) => {
    const target = new Target({ ...location, ...changes }, { sessions: 3 });
    targets.push(target);
    return target;
  };
  const target = openTarget();
  return {
    database,
    location,
    target,
    sql: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
      (await hand.query<Row>(text, [...values])).rows,
    async connect() {
      const session = await hand.connect();
      sessions.push(session);
      return session;
    },
    async untilWaiting(expected = true) {
      const end = Date.now() + 10_000;
      for (;;) {
        const { rows } = await hand.query<{ sessions: number }>(
          `SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE datname = current_database()
             AND application_name = 'legacy-migration-hub' AND wait_event_type = 'Lock'`,
        );
        const sessions = rows[0]?.sessions ?? 0;
        if (sessions > 0 === expected) return;
        if (Date.now() > end) throw new Error(`${String(sessions)} sessions wait for a lock`);
        await setTimeout(20);
      }
    },
    buildLegacyFile(content) {
      const file = path.join(folder, `${randomUUID()}.db`);
      changeLegacyFile(file, content);
      return file;
    },
    buildJob(source, options = {}, overrides = {}) {
      const address: SourceAddress =
        typeof source === 'string' ? { kind: 'sqlite', location: { path: source } } : source;
      const job = new TestJob(address, options, { target, jobId: randomUUID(), ...overrides });
      jobs.push(job);
      return job;
    },
    openTarget,
    async close() {
      await Promise.all(jobs.map((job) => job.close()));
      await Promise.all(targets.map((opened) => opened.close()));
      for (const session of sessions) session.release(true);
      await hand.end();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Opens the file, made where it is missing, and changes it by hand. */
export function changeLegacyFile(file: string, content: Content): void {
  // As most legacy programs have it: SQLite does not look after foreign keys unless it is asked to.
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  try {
    if (typeof content === 'string') db.exec(content);
    else content(db);
  } finally {
    db.close();
  }
}

/** The phases of one job as the worker runs them, with the hub's tables in memory. */
export class TestJob {
  readonly ledger: Ledger;
  readonly jobId: string;
  readonly journal = new MemoryJournal();
  readonly events: FinishEvent[] = [];
  readonly origins = new Map<string, LedgerObject['origin']>();
  readonly #target: Target;
  readonly #source: Source;
  readonly #options: PartialJobOptions;
  #plan: Plan | null;
  readonly #rejectIds = new Map<Reject, string>();

  constructor(
    address: SourceAddress,
    options: PartialJobOptions,
    {
      jobId,
      target,
      plan: planned,
    }: JobOverrides & { readonly jobId: string; readonly target: Target },
  ) {
    this.jobId = jobId;
    this.ledger = new Ledger(target, jobId);
    this.#target = target;
    this.#source = openSource(address.kind, address.location);
    this.#options = options;
    this.#plan = planned ?? null;
  }

  /** Assesses and plans, once. */
  async plan(): Promise<Plan> {
    return (this.#plan ??= await this.#assessAndPlan());
  }

  async create(): Promise<void> {
    await create({
      target: this.#target,
      ledger: this.ledger,
      plan: await this.plan(),
      signal: new AbortController().signal,
      onTable: (table, origin) => void this.origins.set(table.source, origin),
    });
  }

  async copy(
    signal: AbortSignal = new AbortController().signal,
    readers?: SourceSnapshot,
  ): Promise<void> {
    const snapshot = readers ?? (await this.openSnapshot());
    try {
      await copy({
        snapshot,
        target: this.#target,
        ledger: this.ledger,
        journal: this.journal,
        plan: await this.plan(),
        signal,
      });
    } finally {
      await snapshot.close();
    }
  }

  async finish(signal: AbortSignal = new AbortController().signal): Promise<void> {
    await finish({
      target: this.#target,
      ledger: this.ledger,
      plan: await this.plan(),
      lanes: 2,
      signal,
      onEvent: (event) => void this.events.push(event),
    });
  }

  async verify(
    mode: Exclude<VerifyMode, 'none'> = 'checksum',
    onTable: (verdict: TableVerdict) => void = () => undefined,
  ): Promise<TableVerdict[]> {
    return await verify({
      target: this.#target,
      ledger: this.ledger,
      plan: await this.plan(),
      mode,
      lanes: 2,
      signal: new AbortController().signal,
      openSnapshot: () => this.openSnapshot(),
      rejectedLocators: (table, chunk) => Promise.resolve(this.journal.locators(table, chunk)),
      onTable,
    });
  }

  /** Replays rejects of the journal, in their order: for each the values that are mended, null = leave it alone. */
  async replay(
    tableName: string,
    mend: (reject: Reject) => Readonly<Record<string, SourceValue>> | null,
    policies: Partial<Policies> = {},
  ): Promise<ReplayProblems> {
    const planned = await this.plan();
    const table = planned.tables.find(({ source }) => source === tableName);
    if (table === undefined) throw new Error(`no table ${tableName}`);
    const rejects = [...this.journal.rejects]
      .filter(([key]) => key.startsWith(`${tableName}/`))
      .flatMap(([, found]) => found);
    const rows = rejects.flatMap((reject) => {
      const set = mend(reject);
      const row = { ...reject.row, ...set } as Record<string, SourceValue>;
      return set === null ? [] : [{ rejectId: this.#rejectId(reject), row }];
    });
    return await replay({
      target: this.#target,
      ledger: this.ledger,
      plan: planned,
      table,
      rows,
      policies,
      signal: new AbortController().signal,
    });
  }

  /** As the hub would give it: the same for the same reject. */
  #rejectId(reject: Reject): string {
    const known = this.#rejectIds.get(reject) ?? randomUUID();
    this.#rejectIds.set(reject, known);
    return known;
  }

  async rollback(signal?: AbortSignal): Promise<RollbackResult> {
    const request = { target: this.#target, ledger: this.ledger };
    return await rollback(signal === undefined ? request : { ...request, signal });
  }

  /** Everything from assess to finish. */
  async migrate(): Promise<void> {
    await this.create();
    await this.copy();
    await this.finish();
  }

  async openSnapshot(): Promise<SourceSnapshot> {
    const { lanes, consistency } = completeOptions(this.#options);
    return await this.#source.openSnapshot({ lanes, consistency });
  }

  async close(): Promise<void> {
    await this.#source.close();
  }

  async #assessAndPlan(): Promise<Plan> {
    const options = completeOptions(this.#options);
    const { signal } = new AbortController();
    return plan(await assess({ source: this.#source, options, signal }), options);
  }
}

/** What the hub's tables would hold. */
export class MemoryJournal implements ChunkJournal {
  readonly rejects = new Map<string, Reject[]>();
  readonly adjustments = new Map<string, Adjustment[]>();
  /** `table/chunk` → what the chunk came to. */
  readonly done = new Map<string, LedgerChunk>();
  /** Called before each thing is noted; for tests that make it fail, or act in the midst of a chunk. */
  onBegin: (table: PlannedTable, chunk: Chunk) => Promise<void> | void = () => undefined;

  async beginChunk(table: PlannedTable, chunk: Chunk): Promise<void> {
    this.rejects.delete(chunkKey(table, chunk));
    this.adjustments.delete(chunkKey(table, chunk));
    await this.onBegin(table, chunk);
  }

  addRejects(table: PlannedTable, chunk: Chunk, rejects: readonly Reject[]): Promise<void> {
    const key = chunkKey(table, chunk);
    this.rejects.set(key, [...(this.rejects.get(key) ?? []), ...rejects]);
    return Promise.resolve();
  }

  addAdjustments(
    table: PlannedTable,
    chunk: Chunk,
    adjustments: readonly Adjustment[],
  ): Promise<void> {
    this.adjustments.set(chunkKey(table, chunk), [...adjustments]);
    return Promise.resolve();
  }

  chunkDone(table: PlannedTable, chunk: Chunk, result: LedgerChunk): Promise<void> {
    this.done.set(chunkKey(table, chunk), result);
    return Promise.resolve();
  }

  locators(table: PlannedTable, chunk: Chunk): ReadonlySet<string> {
    return new Set(this.rejects.get(chunkKey(table, chunk))?.map(({ locator }) => locator));
  }

  /** The sums of all chunks that are done. */
  totals(): Pick<LedgerChunk, 'rowsRead' | 'rowsCopied' | 'rowsRejected'> {
    const sums = { rowsRead: 0, rowsCopied: 0, rowsRejected: 0 };
    for (const { rowsRead, rowsCopied, rowsRejected } of this.done.values()) {
      sums.rowsRead += rowsRead;
      sums.rowsCopied += rowsCopied;
      sums.rowsRejected += rowsRejected;
    }
    return sums;
  }
}

function chunkKey(table: PlannedTable, chunk: Chunk): string {
  return `${table.source}/${String(chunk.number)}`;
}

/** The error of a promise that has to fail. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => {
      throw new Error('This was expected to fail');
    },
    (error: unknown) => error,
  );
}
