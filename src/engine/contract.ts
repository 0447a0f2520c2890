/**
 * What every source gives the engine, and what the steps hand to each other. All of it but the streams is plain JSON:
 * catalogs, scans and plans are stored, compared and shown as they are.
 *
 * How to add a source
 * 1. `sources/NAME.ts` implements `Source`. It may keep files of its own in `sources/NAME/`. Where values have to be
 *    encoded one by one, `sources/threads/` has the way to do that beside the event loop (`ThreadSource`).
 * 2. `types/NAME.ts` decides the PostgreSQL type of a column from its declaration and its scan (`decideColumn`).
 * 3. One line in `sources/registry.ts`.
 * 4. A fixture in `tests/contract`: the suite there says what a source has to hold.
 * No step ever asks for the kind of a source: it asks `capabilities`.
 */

export const SOURCE_KINDS = ['sqlite', 'mysql', 'postgres', 'csv'] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

/** What a source can do. */
export interface SourceCapabilities {
  /** All readers of one job can see the same moment. */
  readonly snapshot: boolean;
  /** Rows can be read as ranges of a key. Where not, a table is one chunk. */
  readonly keysetChunks: boolean;
  /** The catalog tells foreign keys. */
  readonly foreignKeys: boolean;
}

// ---------------------------------------------------------------------------------------------------------- catalog

export interface Column {
  readonly name: string;
  /** As the source declares it, `''` where it declares none. */
  readonly declaredType: string;
  readonly nullable: boolean;
  /** The default as the source's own SQL expression; null = none. */
  readonly defaultExpression: string | null;
  /** Name of the collation that decides equality and order; null = the source's binary one. */
  readonly collation: string | null;
  readonly generated: { readonly expression: string; readonly stored: boolean } | null;
  /** What the column is set to whenever its row is changed, in the source's SQL (MySQL's ON UPDATE); left out = nothing. */
  readonly onUpdate?: string | null;
  readonly comment?: string | null;
  /** What the source's own type table needs to know of the column beyond its declaration; opaque to the steps. */
  readonly detail?: Readonly<Record<string, string>>;
}

export interface IndexPart {
  /** Column name, or null where the part is an expression. */
  readonly column: string | null;
  readonly expression: string | null;
  readonly descending: boolean;
  readonly collation: string | null;
  /** Only so many characters (of binary columns: bytes) from the beginning are indexed; left out = all. */
  readonly prefixLength?: number;
  /** Where NULLs go, when it is not PostgreSQL's default for the direction. */
  readonly nulls?: 'first' | 'last';
  /** PostgreSQL operator class, `schema.name` or `name`; left out = the default of the type. */
  readonly operatorClass?: string;
}

/** How an index finds rows. `fulltext` finds words; the last four are PostgreSQL's own. */
export const INDEX_METHODS = [
  'btree',
  'hash',
  'fulltext',
  'spatial',
  'gin',
  'gist',
  'spgist',
  'brin',
] as const;
export type IndexMethod = (typeof INDEX_METHODS)[number];

export interface Index {
  readonly name: string;
  readonly unique: boolean;
  readonly parts: readonly IndexPart[];
  /** Condition of a partial index, in the source's SQL. */
  readonly where: string | null;
  /** Left out = `btree`. */
  readonly method?: IndexMethod;
  /** Columns that are stored beside the key. */
  readonly include?: readonly string[];
  /** Left out = NULLs are all different. */
  readonly nullsNotDistinct?: boolean;
}

export const REFERENTIAL_ACTIONS = [
  'NO ACTION',
  'RESTRICT',
  'CASCADE',
  'SET NULL',
  'SET DEFAULT',
] as const;
export type ReferentialAction = (typeof REFERENTIAL_ACTIONS)[number];

export interface ForeignKey {
  readonly name: string | null;
  readonly columns: readonly string[];
  readonly references: { readonly table: string; readonly columns: readonly string[] };
  readonly onUpdate: ReferentialAction;
  readonly onDelete: ReferentialAction;
}

export interface Check {
  readonly name: string | null;
  readonly expression: string;
}

export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[] | null;
  readonly indexes: readonly Index[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly checks: readonly Check[];
  /** A column that numbers itself, with the last number the source's own counter gave (text; null = no counter kept). */
  readonly identity: {
    readonly column: string;
    readonly lastValue: string | null;
    /** Only the counter may give numbers (GENERATED ALWAYS); left out = false. */
    readonly always?: boolean;
  } | null;
  readonly comment?: string | null;
}

/** A type that the source's users have made, in PostgreSQL's SQL: only a PostgreSQL source has any. */
export interface UserType {
  readonly name: string;
  readonly kind: 'enum' | 'domain' | 'composite' | 'range';
  /** Everything after `CREATE TYPE name` or `CREATE DOMAIN name`. Types it refers to stand in it as `"name"`. */
  readonly definition: string;
}

/** A counter of its own, not that of an identity column. Numbers as text. */
export interface Sequence {
  readonly name: string;
  /** Everything after `CREATE SEQUENCE name`. */
  readonly definition: string;
  /** The number that it would give next. */
  readonly next: string;
}

/** Something the source has that is listed but not moved. */
export interface UnmovedObject {
  readonly kind:
    | 'view'
    | 'materialized view'
    | 'trigger'
    | 'routine'
    | 'virtual table'
    | 'foreign table'
    | 'event'
    | 'rule'
    | 'policy'
    | 'type'
    | 'sequence'
    | 'partition'
    | 'exclusion constraint'
    | 'extension';
  readonly name: string;
  readonly definition: string | null;
}

export interface Catalog {
  readonly kind: SourceKind;
  /** Product and version, for a person: `SQLite 3.50.4`. */
  readonly version: string;
  /** Sorted by name. */
  readonly tables: readonly Table[];
  readonly unmoved: readonly UnmovedObject[];
  /** In an order in which they can be made; left out = none. */
  readonly types?: readonly UserType[];
  /** Left out = none. */
  readonly sequences?: readonly Sequence[];
  /**
   * Which schema of which PostgreSQL this is, as `postgres:SYSTEM/DATABASE/SCHEMA`: no job may write to where it reads. Left out =
   * no place that a target can be, or the server does not tell.
   */
  readonly place?: string;
  /** What the introspection itself has to say of what the catalog's words cannot tell; left out = nothing. */
  readonly findings?: readonly Finding[];
}

// ------------------------------------------------------------------------------------------------------------- scan

/** Which row: key column → value as text, `{ base64 }` where the bytes are no valid text. */
export type RowKey = Readonly<Record<string, RowKeyValue>>;
export type RowKeyValue = string | null | { readonly base64: string };

/** What the data of one column really holds. */
export interface ColumnScan {
  /** Fact → number of values. The names of the facts are the source's own; its type table reads them. Zero = left out. */
  readonly facts: Readonly<Record<string, number>>;
  /** Smallest and greatest whole number, and longest text in characters, as decimal text; null = no such value. */
  readonly minInteger: string | null;
  readonly maxInteger: string | null;
  readonly maxLength: number | null;
  /** Fact → keys of a few rows that show it (at most 5 each). */
  readonly samples: Readonly<Record<string, readonly RowKey[]>>;
}

/** Values of a key, in the order of its columns, as text: nothing is lost beyond 2^53. */
export type KeyTuple = readonly string[];

/** How the rows of a table are told apart and cut into chunks. */
export interface ChunkKey {
  /** Source columns; empty = the source's own row number, which does not exist in the target. */
  readonly columns: readonly string[];
  /**
   * How each value compares: whole numbers numerically, text byte by byte, `native` as PostgreSQL compares the column's target
   * type, `opaque` by a rule that only the source knows (then the rows have no order that the target shares).
   */
  readonly kinds: readonly ('integer' | 'text' | 'native' | 'opaque')[];
}

export interface TableScan {
  readonly table: string;
  readonly rows: number;
  readonly columns: Readonly<Record<string, ColumnScan>>;
  /** null = the rows can only be read in one stream. */
  readonly chunkKey: ChunkKey | null;
  /** Upper bounds (inclusive) of all chunks but the last, ascending, taken from the index. */
  readonly chunkBounds: readonly KeyTuple[];
  /** Per foreign key (its position in the catalog) with rows that point nowhere. */
  readonly orphans: readonly {
    readonly foreignKey: number;
    readonly rows: number;
    readonly samples: readonly RowKey[];
  }[];
}

export const SEVERITIES = ['info', 'warning', 'error'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** One thing that the assessment or the plan tells a person. */
export interface Finding {
  readonly severity: Severity;
  readonly code: string;
  readonly table: string | null;
  readonly column: string | null;
  readonly message: string;
  readonly count: number | null;
  readonly samples: readonly RowKey[];
}

export interface Assessment {
  readonly catalog: Catalog;
  /** SHA-256 (hex) of the catalog: what `start` compares to see whether the source's schema has changed. */
  readonly fingerprint: string;
  /** In the order of `catalog.tables`. */
  readonly scans: readonly TableScan[];
  readonly findings: readonly Finding[];
}

// ---------------------------------------------------------------------------------------------------------- options

export interface Policies {
  /** Text with a NUL character, which PostgreSQL cannot hold. */
  readonly nulCharacter: 'reject' | 'strip';
  /** Text whose bytes are no valid UTF-8. */
  readonly invalidUtf8: 'reject' | 'cp1252';
  /** `''` in a date column. */
  readonly emptyDate: 'null' | 'reject';
  /** `0000-00-00` and relatives. `sentinel`: 0001-01-01. */
  readonly zeroDate: 'null' | 'reject' | 'sentinel';
  /** A date without a day or month, `2010-05-00`. `first`: the first day of the month, or of the year. */
  readonly partialDate: 'null' | 'reject' | 'first';
  /** Text that is no date in a date column. */
  readonly invalidDate: 'reject' | 'null';
  /** A date column that mixes encodings (ISO text, epoch seconds, epoch milliseconds, Julian days). */
  readonly mixedDates: 'text' | 'convert';
  /** Values that do not fit the declared type. `auto`: a whole-number column is widened, a decimal one keeps its type. */
  readonly typeMismatch: 'auto' | 'widen' | 'reject';
  /** NULL in a primary key. `unique`: the key becomes a UNIQUE constraint. */
  readonly nullInPrimaryKey: 'unique' | 'reject';
  /** An ENUM that holds MySQL's error value, index 0, which prints as `''`. */
  readonly enumError: 'reject' | 'null';
  /** JSON with `\u0000` in it, which jsonb cannot hold. `json`: the whole column becomes json. */
  readonly jsonNul: 'json' | 'reject';
  /** UTF-8 that was encoded twice (`Ã©` for `é`). */
  readonly doubleEncoding: 'keep' | 'repair';
  /**
   * Text columns of keys, unique indexes and foreign keys that the source compares without regard to case or accents. `keep`:
   * they get an ICU collation that compares alike; `drop`: they compare byte by byte from now on.
   */
  readonly keyCollation: 'keep' | 'drop';
  /** `03/04/2024` in a column where no value tells day from month. */
  readonly ambiguousDates: 'text' | 'dmy' | 'mdy';
  /** `1,234` in a column where no value tells the decimal separator. */
  readonly ambiguousNumbers: 'text' | 'comma' | 'point';
}

export const POLICY_VALUES = {
  nulCharacter: ['reject', 'strip'],
  invalidUtf8: ['reject', 'cp1252'],
  emptyDate: ['null', 'reject'],
  zeroDate: ['null', 'reject', 'sentinel'],
  partialDate: ['null', 'reject', 'first'],
  invalidDate: ['reject', 'null'],
  mixedDates: ['text', 'convert'],
  typeMismatch: ['auto', 'widen', 'reject'],
  nullInPrimaryKey: ['unique', 'reject'],
  enumError: ['reject', 'null'],
  jsonNul: ['json', 'reject'],
  doubleEncoding: ['keep', 'repair'],
  keyCollation: ['keep', 'drop'],
  ambiguousDates: ['text', 'dmy', 'mdy'],
  ambiguousNumbers: ['text', 'comma', 'point'],
} as const satisfies { readonly [Name in keyof Policies]: readonly Policies[Name][] };

export const ON_EXISTING = ['fail', 'truncate', 'append', 'drop'] as const;
export const ON_BAD_ROW = ['reject', 'fail'] as const;
export const IDENTIFIER_STYLES = ['lower', 'snake_case', 'preserve'] as const;
export const CONSISTENCY_LEVELS = ['snapshot', 'none'] as const;
export const VERIFY_MODES = ['checksum', 'count', 'full', 'none'] as const;

export type ConsistencyLevel = (typeof CONSISTENCY_LEVELS)[number];
export type VerifyMode = (typeof VERIFY_MODES)[number];

/** What a job was asked to do, complete. */
export interface JobOptions {
  /** Globs (`*`, `?`) on source table names, compared without case; empty = all. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly targetSchema: string;
  readonly identifiers: (typeof IDENTIFIER_STYLES)[number];
  /** Source name (`table` or `table.column`) → name in the target, taken as it stands. */
  readonly rename: Readonly<Record<string, string>>;
  /** Source column (`table.column`) → PostgreSQL type of the user's wish. */
  readonly casts: Readonly<Record<string, string>>;
  readonly onExisting: (typeof ON_EXISTING)[number];
  readonly onBadRow: (typeof ON_BAD_ROW)[number];
  readonly maxRejectedRows: number;
  readonly policies: Policies;
  /** Source column (`table.column`) → policies that hold there instead of the job's. */
  readonly columnPolicies: Readonly<Record<string, Partial<Policies>>>;
  readonly consistency: ConsistencyLevel;
  readonly verify: VerifyMode;
  /** Rows a chunk, about: the bounds come from the index. */
  readonly chunkRows: number;
  /** Readers and writers that work side by side. */
  readonly lanes: number;
}

/** What a job was asked to do, as far as it was said. */
export type PartialJobOptions = Partial<Omit<JobOptions, 'policies'>> & {
  readonly policies?: Partial<Policies>;
};

export const DEFAULT_JOB_OPTIONS: JobOptions = {
  include: [],
  exclude: [],
  targetSchema: 'public',
  identifiers: 'lower',
  rename: {},
  casts: {},
  onExisting: 'fail',
  onBadRow: 'reject',
  maxRejectedRows: 10_000,
  policies: {
    nulCharacter: 'reject',
    invalidUtf8: 'reject',
    emptyDate: 'null',
    zeroDate: 'null',
    partialDate: 'null',
    invalidDate: 'reject',
    mixedDates: 'text',
    typeMismatch: 'auto',
    nullInPrimaryKey: 'unique',
    enumError: 'reject',
    jsonNul: 'json',
    doubleEncoding: 'keep',
    keyCollation: 'keep',
    ambiguousDates: 'text',
    ambiguousNumbers: 'text',
  },
  columnPolicies: {},
  consistency: 'snapshot',
  verify: 'checksum',
  chunkRows: 50_000,
  lanes: 2,
};

/** The options of a job, complete: what was not said is at its default. */
export function completeOptions(options: PartialJobOptions): JobOptions {
  return {
    ...DEFAULT_JOB_OPTIONS,
    ...options,
    policies: { ...DEFAULT_JOB_OPTIONS.policies, ...options.policies },
  };
}

// ------------------------------------------------------------------------------------------------------------- plan

/** What a type table says about one column. */
export interface ColumnDecision {
  /** PostgreSQL type, as in DDL. */
  readonly targetType: string;
  /** Name of the value encoder, from the table of the source's encoders. */
  readonly encoder: string;
  /** Why, for a person: `declared BOOLEAN, 3 values outside {0,1} → smallint`. */
  readonly evidence: string;
  /** NULL can reach the target: the source holds it, or a policy makes it. */
  readonly holdsNull: boolean;
  readonly findings: readonly Finding[];
  /** The column needs an enum type of its own with these labels; `targetType` is then `enum` until the plan has named it. */
  readonly enumLabels?: readonly string[];
  /** `targetType` is (an array of) this type of the catalog; the plan writes it with its schema. */
  readonly userType?: string;
  /** The only values that the source's type allows, where the target's type does not say so. Becomes a CHECK. */
  readonly allowedValues?: readonly string[];
  /** How the source compares the column, where it is not byte by byte; left out = byte by byte. */
  readonly equality?: ColumnEquality;
  /** A collation that the target has by itself (`C`, `de-x-icu`); left out = the database's own. */
  readonly collation?: string;
}

/** A comparison without regard to case, accents or the like. */
export interface ColumnEquality {
  /** As the source calls it: `utf8mb4_general_ci`. */
  readonly name: string;
  /** ICU locale with the same idea of equal: `und-u-ks-level2`. */
  readonly icuLocale: string;
  /** `'a '` equals `'a'`, which no collation of PostgreSQL can say. */
  readonly ignoresTrailingSpaces: boolean;
}

export interface PlannedColumn {
  readonly source: string;
  readonly target: string;
  readonly declaredType: string;
  readonly targetType: string;
  readonly encoder: string;
  readonly nullable: boolean;
  /** PostgreSQL expression; null = none. */
  readonly defaultExpression: string | null;
  /** PostgreSQL collation for DDL; null = the database's own. */
  readonly collation: string | null;
  /** Schema of `collation` where the plan makes it; left out = PostgreSQL's own. */
  readonly collationSchema?: string;
  /** PostgreSQL expression of a GENERATED ALWAYS … STORED column, which is not copied; null = copied. */
  readonly generatedExpression: string | null;
  readonly evidence: string;
  /** Policies of this column that differ from the job's; left out = none. */
  readonly policies?: Partial<Policies>;
  readonly comment?: string;
}

/** A range of a table's chunk key: lower exclusive, upper inclusive, null = open. */
export interface Chunk {
  readonly number: number;
  readonly lower: KeyTuple | null;
  readonly upper: KeyTuple | null;
}

export interface PlannedIndex {
  readonly name: string;
  readonly unique: boolean;
  /** Everything after `ON table`, in PostgreSQL's SQL: `("a", lower("b" COLLATE "C")) WHERE …`. */
  readonly definition: string;
  /** The columns of a plain index, which a foreign key may refer to; null where it has expressions or a condition. */
  readonly plainColumns: readonly string[] | null;
}

export interface PlannedForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  /** Position of the referenced table in `plan.tables`. */
  readonly referencedTable: number;
  readonly referencedColumns: readonly string[];
  readonly onUpdate: ReferentialAction;
  readonly onDelete: ReferentialAction;
  /** Rows that point nowhere: the key stays NOT VALID. */
  readonly orphans: number;
}

export interface PlannedTable {
  readonly source: string;
  readonly schema: string;
  readonly target: string;
  readonly columns: readonly PlannedColumn[];
  readonly chunkKey: ChunkKey | null;
  readonly chunks: readonly Chunk[];
  /**
   * `ordered`: the chunk key is in the target too, chunk by chunk comparable in key order.
   * `multiset`: rows are compared without order, for the whole table.
   */
  readonly digest: 'ordered' | 'multiset';
  readonly primaryKey: { readonly name: string; readonly columns: readonly string[] } | null;
  readonly indexes: readonly PlannedIndex[];
  readonly foreignKeys: readonly PlannedForeignKey[];
  readonly checks: readonly { readonly name: string; readonly expression: string }[];
  /** Identity column and the number that the source's own counter would give next (text). */
  readonly identity: {
    readonly column: string;
    readonly next: string;
    readonly always?: boolean;
  } | null;
  readonly estimatedRows: number;
  /** Columns, in the source's names, that tell a row in rejects and adjustments; empty = the row number. */
  readonly rowKey: readonly string[];
  readonly comment?: string;
  /** Made when the data is in; left out = none. */
  readonly triggers?: readonly PlannedTrigger[];
}

/** A trigger that keeps what the source did by itself, with the function of the same name that it calls. */
export interface PlannedTrigger {
  readonly name: string;
  /** CREATE FUNCTION … and CREATE TRIGGER …, whole. */
  readonly createFunction: string;
  readonly createTrigger: string;
}

/** A type, collation or sequence that has to be there before the tables. */
export interface PlannedSchemaObject {
  readonly kind: 'type' | 'collation' | 'sequence';
  readonly schema: string;
  readonly name: string;
  /** CREATE …, whole. */
  readonly sql: string;
  /** Sequences: the number that the source would give next. */
  readonly next?: string;
}

export interface Plan {
  readonly formatVersion: 1;
  readonly source: {
    readonly kind: SourceKind;
    readonly version: string;
    readonly fingerprint: string;
    /** `Catalog.place` */
    readonly place?: string;
  };
  readonly options: JobOptions;
  /** In the order in which they are copied. */
  readonly tables: readonly PlannedTable[];
  /** In the order in which they can be made; left out = none. */
  readonly schemaObjects?: readonly PlannedSchemaObject[];
  /** What will run, in order, for a person to read. */
  readonly ddl: { readonly create: readonly string[]; readonly finish: readonly string[] };
  readonly unmoved: readonly UnmovedObject[];
  readonly findings: readonly Finding[];
  /** SHA-256 (hex) of all of the above as canonical JSON. */
  readonly hash: string;
}

// ------------------------------------------------------------------------------------------------------------- copy

export const REASON_CODES = [
  'TYPE_MISMATCH',
  'OUT_OF_RANGE',
  'INVALID_DATE',
  'EMPTY_DATE',
  'ZERO_DATE',
  'MIXED_DATE',
  'TEXT_NUL',
  'INVALID_UTF8',
  'PK_NULL',
  'NULL_NOT_ALLOWED',
  'VALUE_TOO_LARGE',
  'PARTIAL_DATE',
  'ENUM_ERROR_VALUE',
  'INVALID_JSON',
  'JSON_NUL',
  'DOUBLE_ENCODING',
  'RAGGED_ROW',
  'TARGET_REFUSED',
] as const;
/** Why a row became a reject, or (the ones that a policy can decide) by which rule a value was adjusted. */
export type ReasonCode = (typeof REASON_CODES)[number];

/** A value as the source gave it, in JSON: bytes that are no clean text as base64. */
export type SourceValue =
  | null
  | { readonly type: 'integer' | 'real' | 'text'; readonly value: string }
  | { readonly type: 'text' | 'blob'; readonly base64: string };

/** Which row, and what it holds. */
export interface DescribedRow {
  readonly key: RowKey;
  /** The row's identity inside the source, opaque, stable as long as the row is not changed. */
  readonly locator: string;
  /** Source column → value. Values over 64 KiB are cut, and say so with `truncatedFrom`. */
  readonly row: SourceRow;
}

export type SourceRow = Readonly<Record<string, SourceValue | { readonly truncatedFrom: number }>>;

/** One value that was stored otherwise than the source gave it. */
export interface ValueAdjustment {
  readonly column: string;
  readonly rule: ReasonCode;
}

/**
 * A line of a batch, where `ReadRequest.describe` asked for it. Every source HAS TO fill `adjustments` here: when the target
 * refuses some lines of a batch, only the adjustments of the lines that landed may be counted, and these are how they are told
 * apart. (`EncodedBatch.adjustments` holds their sums as always, and is not looked at then.)
 */
export interface DescribedLine extends DescribedRow {
  /** What was adjusted in this line: one entry a value; empty = nothing. */
  readonly adjustments: readonly ValueAdjustment[];
}

/** A row that cannot be stored faithfully. */
export interface Reject extends DescribedRow {
  readonly column: string;
  readonly reasonCode: ReasonCode;
  readonly message: string;
}

/** Values of one column that were stored otherwise than the source gave them, by one rule. */
export interface Adjustment {
  readonly column: string;
  readonly rule: ReasonCode;
  readonly count: number;
  /** At most 5. */
  readonly sampleKeys: readonly RowKey[];
}

/**
 * A run of rows, ready for `COPY … (FORMAT text)`: one line a row, `\n` at its end, each value exactly as PostgreSQL
 * itself would print it (so that the bytes read back can be compared with the bytes sent).
 */
export interface EncodedBatch {
  readonly rowsRead: number;
  readonly rowsEncoded: number;
  readonly lines: Uint8Array;
  readonly rejects: readonly Reject[];
  readonly adjustments: readonly Adjustment[];
  /** One entry for each line, in their order; only where `ReadRequest.describe` asked for it. */
  readonly described?: readonly DescribedLine[];
}

/**
 * A run of rows in the canonical rendering that `full` verification compares: one line a row, fields separated by a tab,
 * `\N` for NULL, nothing that needs escaping (text and bytes as hex). Made without any code of the encoders.
 */
export interface CanonicalBatch {
  readonly rows: number;
  readonly lines: Uint8Array;
}

/** All readers of a job on one moment of the source, as far as `level` says. */
export interface SourceSnapshot {
  readonly level: ConsistencyLevel;
  /** Where the source's own log stood at this moment, in the source's words; null or left out = it cannot be told. */
  readonly position?: string | null;
  /** How many readers work side by side: at most what was asked for. */
  readonly lanes: number;
  /** Rows of the table at this moment, counted by the source itself: what the chunks have to add up to. */
  countRows(request: {
    readonly lane: number;
    readonly table: PlannedTable;
    readonly signal: AbortSignal;
  }): Promise<number>;
  /**
   * Encodes the rows of one chunk, in key order where the table has a chunk key. Columns with a `generatedExpression`
   * are left out. Never holds more than a few batches; a slow consumer holds the reader back.
   */
  readChunk(request: ReadRequest): AsyncIterable<EncodedBatch>;
  /** The same rows, less those in `excluding` (locators of rejects), rendered independently. Generated columns included. */
  readCanonical(
    request: ReadRequest & { readonly excluding: ReadonlySet<string> },
  ): AsyncIterable<CanonicalBatch>;
  close(): Promise<void>;
}

export interface ReadRequest {
  /** 0 … lanes − 1. A lane does one thing at a time: a second request to it waits. */
  readonly lane: number;
  readonly table: PlannedTable;
  readonly chunk: Chunk;
  readonly policies: Policies;
  readonly signal: AbortSignal;
  /**
   * Also say which row each line is: the target has refused one of the chunk, and its name is wanted. Slow; left out = false.
   */
  readonly describe?: boolean;
}

/** A legacy database, opened for reading only. Throws AppError with a SOURCE_ code. */
export interface Source {
  readonly capabilities: SourceCapabilities;
  /** Product and version; the cheapest proof that the source can be read. */
  version(): Promise<string>;
  readCatalog(signal: AbortSignal): Promise<Catalog>;
  /** One aggregate pass over the table's data. `chunkRows`: distance of the chunk bounds. */
  scanTable(request: {
    readonly table: Table;
    readonly chunkRows: number;
    readonly signal: AbortSignal;
  }): Promise<TableScan>;
  openSnapshot(request: {
    readonly lanes: number;
    readonly consistency: ConsistencyLevel;
  }): Promise<SourceSnapshot>;
  close(): Promise<void>;
}

/** What the registry knows of a kind of source. */
export interface SourceDriver<Location> {
  /** Opens the source; nothing is read or dialled before the first call of a method. */
  readonly open: (location: Location) => Source;
  /** Pure: the same arguments give the same answer. */
  readonly decideColumn: (request: {
    readonly table: Table;
    readonly column: Column;
    readonly scan: ColumnScan;
    readonly rows: number;
    /** The job's, with the column's own in their place. */
    readonly policies: Policies;
    /** The PostgreSQL type that the user wishes; left out = none. */
    readonly cast?: string;
  }) => ColumnDecision;
  /** Pure: an expression in the source's SQL as PostgreSQL's, or null where it cannot be carried over safely. */
  readonly translateExpression: (request: {
    readonly expression: string;
    readonly purpose: 'default' | 'generated' | 'index' | 'where' | 'check';
    /** The column (of `columns`) whose default or generation rule it is, which its value has to fit; left out = none. */
    readonly column?: string;
    /** Source column → target name and type, what it was declared as, and the source's collation where it is not the binary one. */
    readonly columns: Readonly<
      Record<
        string,
        {
          readonly target: string;
          readonly targetType: string;
          readonly declaredType?: string;
          readonly collation?: string | null;
        }
      >
    >;
  }) => string | null;
  /** Pure: PostgreSQL expression that renders a target column as `readCanonical` renders the source's. */
  readonly canonicalTargetExpression: (column: PlannedColumn) => string;
  /**
   * Pure: one row that was mended, encoded as `readChunk` would encode it if the source had it so. Values that somebody has
   * typed come as JSON has them: text also for numbers beyond 2^53 (to be taken as the column would take that text), booleans
   * as the integers 1 and 0.
   */
  readonly encodeRow?: (request: {
    readonly table: PlannedTable;
    readonly row: Readonly<Record<string, SourceValue>>;
    readonly policies: Policies;
  }) => EncodedRow;
}

/** Why a row cannot be stored. */
export type RowProblem = Pick<Reject, 'column' | 'reasonCode' | 'message'>;
export type EncodedRow =
  | {
      /** As in `EncodedBatch.lines`. */
      readonly line: Uint8Array;
      readonly adjustments: readonly ValueAdjustment[];
    }
  | { readonly problem: RowProblem };
