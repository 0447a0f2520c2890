import type pg from 'pg';
import { qualifiedName } from './identifiers.ts';
import type { Target } from './target.ts';

/**
 * A statement that drops a table takes about ten locks for it, out of the 6,400 that a server has by default for all of its
 * sessions.
 */
const MAX_TABLES = 200;

/**
 * Cuts tables (by oid) into groups that can be dropped or emptied in one statement each. Tables that refer to each other are
 * always in one group: PostgreSQL takes them only together.
 */
export async function groupByReferences(
  target: Target,
  oids: readonly string[],
): Promise<string[][]> {
  const references = await target.query<{ child: string; parent: string }>(
    'looking for tables that refer to each other',
    `SELECT DISTINCT conrelid::bigint AS child, confrelid::bigint AS parent FROM pg_constraint
      WHERE contype = 'f' AND conrelid::bigint = ANY ($1::bigint[]) AND confrelid::bigint = ANY ($1::bigint[])`,
    [oids],
  );
  const families = new Map(oids.map((oid) => [oid, [oid]]));
  for (const { child, parent } of references) {
    const [one, other] = [families.get(child) ?? [], families.get(parent) ?? []];
    if (one === other) continue;
    const family = [...one, ...other];
    for (const oid of family) families.set(oid, family);
  }
  return pack([...new Set(families.values())]);
}

/** A table of the target by the name under which it was found, and what it was then. */
export interface FoundTable {
  readonly schema: string;
  readonly target: string;
  readonly oid: string;
}

/**
 * Locks tables, in a mode that at least keeps writers and renames out, and gives the first that is another one than was
 * found: until the lock is held, somebody can put a table of their own in its place by renaming. Null: all are still the
 * same, and stay so in this transaction.
 */
export async function lockAndFindExchanged(
  session: pg.PoolClient,
  tables: readonly FoundTable[],
  mode: 'ACCESS EXCLUSIVE' | 'SHARE ROW EXCLUSIVE',
): Promise<FoundTable | null> {
  const names = tables.map(qualifiedName);
  await session.query(`LOCK TABLE ${names.join(', ')} IN ${mode} MODE`);
  const { rows } = await session.query<{ oid: string | null }>(
    `SELECT to_regclass(name)::oid::bigint AS oid
       FROM unnest($1::text[]) WITH ORDINALITY AS t (name, position) ORDER BY position`,
    [names],
  );
  return tables.find(({ oid }, position) => rows[position]?.oid !== oid) ?? null;
}

/** As few groups as there can be without cutting a family. */
function pack(families: readonly (readonly string[])[]): string[][] {
  const groups: string[][] = [];
  for (const family of families) {
    const last = groups.at(-1);
    if (last !== undefined && last.length + family.length <= MAX_TABLES) last.push(...family);
    else groups.push([...family]);
  }
  return groups;
}
