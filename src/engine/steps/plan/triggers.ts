import type { Column, Finding, PlannedTable, PlannedTrigger, Table } from '../../contract.ts';
import { copiedColumns } from '../../target/ddl.ts';
import { qualifiedName, quoteIdentifier, quoteLiteral } from '../../target/identifiers.ts';
import { columnTypes } from './columns.ts';
import type { PlanningDriver } from './decisions.ts';
import { structureFinding } from './findings.ts';
import type { ObjectNames } from './names.ts';
import type { SchemaObjects } from './schema-objects.ts';

export interface PlanTriggersRequest {
  readonly driver: PlanningDriver;
  readonly table: Table;
  readonly planned: PlannedTable;
  readonly objectNames: ObjectNames;
  readonly schemaObjects: SchemaObjects;
}

/** One trigger for each column that the source sets whenever its row is changed. */
export function planTriggers(request: PlanTriggersRequest): {
  readonly triggers: readonly PlannedTrigger[];
  readonly findings: readonly Finding[];
} {
  const triggers: PlannedTrigger[] = [];
  const findings: Finding[] = [];
  for (const column of request.table.columns) {
    const { onUpdate } = column;
    if (onUpdate === undefined || onUpdate === null) continue;
    const trigger = planTrigger(request, column, onUpdate);
    if (trigger !== null) {
      triggers.push(trigger);
      continue;
    }
    const message = `ON UPDATE ${onUpdate} has no sure equivalent: add a trigger by hand`;
    findings.push(structureFinding('ON_UPDATE_NOT_CARRIED', request.table, column.name, message));
  }
  return { triggers, findings };
}

function planTrigger(
  { driver, table, planned, objectNames, schemaObjects }: PlanTriggersRequest,
  column: Column,
  onUpdate: string,
): PlannedTrigger | null {
  const own = planned.columns.find(({ source }) => source === column.name);
  if (own?.generatedExpression !== null) return null;
  const expression = driver.translateExpression({
    expression: onUpdate,
    purpose: 'default',
    columns: columnTypes(table, [own]),
  });
  if (expression === null) return null;
  const name = objectNames.claim(planned.target, own.target, 'on_update');
  const called = qualifiedName({ schema: planned.schema, target: name });
  return {
    name,
    createFunction: `CREATE FUNCTION ${called}() RETURNS trigger LANGUAGE plpgsql AS ${functionBody(planned, own.target, schemaObjects.qualify(expression))}`,
    createTrigger: `CREATE TRIGGER ${quoteIdentifier(name)} BEFORE UPDATE ON ${qualifiedName(planned)} FOR EACH ROW EXECUTE FUNCTION ${called}()`,
  };
}

/**
 * Rows are compared byte by byte, as the source does, and so that columns of json, which have no equality, are no obstacle.
 * Generated columns are left out: before an update they are not there yet.
 */
function functionBody(table: PlannedTable, column: string, expression: string): string {
  const row = (record: string): string =>
    `ROW(${copiedColumns(table)
      .map(({ target }) => `${record}.${quoteIdentifier(target)}`)
      .join(', ')})::pg_catalog.record`;
  const own = quoteIdentifier(column);
  const body = `
BEGIN
  IF ${row('NEW')} OPERATOR(pg_catalog.*<>) ${row('OLD')}
    AND NEW.${own} IS NOT DISTINCT FROM OLD.${own} THEN
    NEW.${own} := ${expression};
  END IF;
  RETURN NEW;
END`;
  return body.includes('$hub$') ? quoteLiteral(body) : `$hub$${body}\n$hub$`;
}
