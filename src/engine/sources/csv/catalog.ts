import type { Catalog, Column, Table } from '../../contract.ts';
import type { OpenFile } from './open-files.ts';

export function readVersion(files: readonly OpenFile[]): string {
  return `CSV, ${files.length === 1 ? '1 file' : `${String(files.length)} files`}`;
}

/** A table for each file. A file declares nothing but names: types and keys there are none. */
export function readCatalog(files: readonly OpenFile[]): Catalog {
  return {
    kind: 'csv',
    version: readVersion(files),
    tables: files.map(toTable),
    unmoved: [],
    findings: files.flatMap(({ header }) => header.findings),
  };
}

function toTable({ table, header }: OpenFile): Table {
  return {
    name: table,
    columns: header.columns.map(toColumn),
    primaryKey: null,
    indexes: [],
    foreignKeys: [],
    checks: [],
    identity: null,
  };
}

function toColumn(name: string): Column {
  return {
    name,
    declaredType: '',
    nullable: true,
    defaultExpression: null,
    collation: null,
    generated: null,
  };
}
