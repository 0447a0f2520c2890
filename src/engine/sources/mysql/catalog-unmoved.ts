import type { UnmovedObject } from '../../contract.ts';
import {
  compareText,
  quoteName,
  textRows,
  type CatalogQuery,
  type TextRow,
} from './catalog-query.ts';

/**
 * What is listed but not moved, as far as the account may see it. The definitions are put together from information_schema: SHOW
 * CREATE would name the accounts of the server's users, and fail where the account has no right to see one.
 */
export async function readUnmoved(
  query: CatalogQuery,
  database: string,
  sequences: readonly string[],
): Promise<UnmovedObject[]> {
  const views = await textRows(query, VIEWS_SQL, [database]);
  const triggers = await textRows(query, TRIGGERS_SQL, [database]);
  const routines = await textRows(query, ROUTINES_SQL, [database]);
  const parameters = await textRows(query, PARAMETERS_SQL, [database]);
  const events = await textRows(query, EVENTS_SQL, [database]);
  return [
    ...views.map((row) => unmoved('view', row, defineView)),
    ...triggers.map((row) => unmoved('trigger', row, defineTrigger)),
    ...routines.map((row) => unmoved('routine', row, () => defineRoutine(row, parameters))),
    ...events.map((row) => unmoved('event', row, defineEvent)),
    ...sequences.map((name): UnmovedObject => ({ kind: 'sequence', name, definition: null })),
  ].sort(
    (a, b) =>
      compareText(a.kind, b.kind) ||
      compareText(a.name, b.name) ||
      compareText(a.definition ?? '', b.definition ?? ''),
  );
}

const VIEWS_SQL = `
  SELECT TABLE_NAME AS name, VIEW_DEFINITION AS body FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ?`;

const TRIGGERS_SQL = `
  SELECT TRIGGER_NAME AS name, ACTION_TIMING AS timing, EVENT_MANIPULATION AS event, EVENT_OBJECT_TABLE AS table_name,
    ACTION_STATEMENT AS body
  FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?`;

const ROUTINES_SQL = `
  SELECT ROUTINE_NAME AS name, SPECIFIC_NAME AS specific_name, ROUTINE_TYPE AS type, ROUTINE_DEFINITION AS body
  FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?`;

const PARAMETERS_SQL = `
  SELECT SPECIFIC_NAME AS specific_name, ROUTINE_TYPE AS routine_type, PARAMETER_MODE AS mode, PARAMETER_NAME AS name,
    DTD_IDENTIFIER AS type
  FROM information_schema.PARAMETERS WHERE SPECIFIC_SCHEMA = ? ORDER BY SPECIFIC_NAME, ORDINAL_POSITION`;

const EVENTS_SQL = `
  SELECT EVENT_NAME AS name, EVENT_DEFINITION AS body, INTERVAL_VALUE AS every, INTERVAL_FIELD AS unit,
    CAST(EXECUTE_AT AS CHAR) AS at_time
  FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?`;

/** Without the right to see it, a body is NULL or empty. */
function unmoved(
  kind: UnmovedObject['kind'],
  row: TextRow,
  define: (row: TextRow, body: string) => string,
): UnmovedObject {
  return { kind, name: row.name ?? '', definition: row.body ? define(row, row.body) : null };
}

function defineView(row: TextRow, body: string): string {
  return `CREATE VIEW ${quoteName(row.name ?? '')} AS ${body}`;
}

function defineTrigger(row: TextRow, body: string): string {
  const when = `${row.timing ?? ''} ${row.event ?? ''} ON ${quoteName(row.table_name ?? '')}`;
  return `CREATE TRIGGER ${quoteName(row.name ?? '')} ${when} FOR EACH ROW ${body}`;
}

function defineRoutine(routine: TextRow, parameters: readonly TextRow[]): string {
  const type = routine.type ?? '';
  const own = parameters.filter(
    (row) => row.specific_name === routine.specific_name && row.routine_type === type,
  );
  const isFunction = type === 'FUNCTION';
  const list = own
    .filter(({ name }) => name !== null)
    .map(({ mode, name, type: declared }) =>
      [isFunction ? null : mode, quoteName(name ?? ''), declared].filter(Boolean).join(' '),
    );
  const returns = own.find(({ name }) => name === null)?.type;
  const result = isFunction && returns ? ` RETURNS ${returns}` : '';
  return `CREATE ${type} ${quoteName(routine.name ?? '')}(${list.join(', ')})${result} ${routine.body ?? ''}`;
}

function defineEvent(row: TextRow, body: string): string {
  const schedule = row.at_time
    ? `AT '${row.at_time}'`
    : `EVERY '${row.every ?? ''}' ${row.unit ?? ''}`;
  return `CREATE EVENT ${quoteName(row.name ?? '')} ON SCHEDULE ${schedule} DO ${body}`;
}
