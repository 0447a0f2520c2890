/**
 * What the catalog is made of, in SQL for PostgreSQL 12 and newer: columns of system tables that are younger are read through
 * `to_jsonb`, which gives NULL where they are missing. `$1` is the schema. Numbers are text.
 */

const NOT_OF_EXTENSION = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = '${catalog}'::regclass AND x.objid = ${oid} AND x.deptype = 'e')`;

export interface RelationRow {
  readonly oid: string;
  readonly name: string;
  readonly kind: 'r' | 'p' | 'f' | 'v' | 'm';
  readonly is_partition: boolean;
  readonly is_unlogged: boolean;
  readonly has_children: boolean;
  readonly parents: string | null;
  readonly has_policies: boolean;
  readonly definition: string | null;
  readonly comment: string | null;
}

export const RELATIONS = `
  SELECT c.oid::text AS oid, c.relname AS name, c.relkind::text AS kind, c.relispartition AND (
           SELECT r.relnamespace FROM pg_class r WHERE r.oid = pg_partition_root(c.oid)) = c.relnamespace AS is_partition,
         c.relpersistence = 'u' AS is_unlogged, c.relrowsecurity AS has_policies,
         EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid) AS has_children,
         (SELECT string_agg(p.relname, ', ' ORDER BY i.inhseqno) FROM pg_inherits i
            JOIN pg_class p ON p.oid = i.inhparent WHERE i.inhrelid = c.oid) AS parents,
         CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid)
              WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid)
              WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END AS definition,
         obj_description(c.oid, 'pg_class') AS comment
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND ${NOT_OF_EXTENSION('pg_class', 'c.oid')}`;

export interface ColumnRow {
  readonly relation: string;
  readonly number: string;
  readonly name: string;
  readonly type: string;
  readonly declared: string;
  readonly nullable: boolean;
  readonly identity: '' | 'a' | 'd';
  readonly generated: '' | 's' | 'v';
  readonly collation: string | null;
  readonly collation_schema: string | null;
  readonly comment: string | null;
}

export const COLUMNS = `
  SELECT a.attrelid::text AS relation, a.attnum::text AS number, a.attname AS name, a.atttypid::text AS type,
         format_type(a.atttypid, a.atttypmod) AS declared, a.attidentity::text AS identity, a.attgenerated::text AS generated,
         NOT a.attnotnull OR EXISTS (
           SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'n' AND a.attnum = ANY (k.conkey)
              AND NOT k.convalidated) AS nullable,
         CASE WHEN a.attcollation <> t.typcollation THEN o.collname END AS collation, co.nspname AS collation_schema,
         col_description(a.attrelid, a.attnum) AS comment
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_collation o ON o.oid = a.attcollation
    LEFT JOIN pg_namespace co ON co.oid = o.collnamespace
   WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
   ORDER BY a.attrelid, a.attnum`;

export interface ExpressionRow {
  readonly relation: string;
  readonly number: string;
  readonly expression: string;
}

/** Defaults and generation expressions. Names are quoted in this and the following three: see `catalog-expressions.ts`. */
export const EXPRESSIONS = `
  SELECT d.adrelid::text AS relation, d.adnum::text AS number, pg_get_expr(d.adbin, d.adrelid) AS expression
    FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')`;

export interface IndexRow {
  readonly relation: string;
  readonly name: string;
  readonly is_unique: boolean;
  readonly is_primary: boolean;
  readonly is_exclusion: boolean;
  readonly is_immediate: boolean;
  readonly is_valid: boolean;
  readonly nulls_not_distinct: boolean;
  readonly method: string;
  readonly where: string | null;
  readonly parts: readonly IndexPartRow[];
  readonly include: readonly string[];
}

export interface IndexPartRow {
  readonly column: string | null;
  readonly expression: string;
  /** Bit 0: descending; bit 1: NULLs first. */
  readonly option: number;
  readonly collation: string | null;
  readonly collation_schema: string | null;
  readonly operator_class: string | null;
  readonly operator_class_schema: string;
  readonly operator_class_extension: string | null;
}

export const INDEXES = `
  SELECT i.indrelid::text AS relation, x.relname AS name, i.indisunique AS is_unique, i.indisprimary AS is_primary,
         i.indisexclusion AS is_exclusion, i.indimmediate AS is_immediate, i.indisvalid AS is_valid,
         coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_not_distinct,
         m.amname AS method, pg_get_expr(i.indpred, i.indrelid) AS where,
         (SELECT jsonb_agg(jsonb_build_object(
             'column', a.attname, 'expression', pg_get_indexdef(i.indexrelid, k::int, false),
             'option', i.indoption[k - 1],
             'collation', CASE WHEN i.indcollation[k - 1] <> coalesce(a.attcollation, i.indcollation[k - 1]) THEN o.collname END,
             'collation_schema', oo.nspname,
             'operator_class', CASE WHEN NOT oc.opcdefault THEN oc.opcname END, 'operator_class_schema', ocn.nspname,
             'operator_class_extension', (
               SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                WHERE d.classid = 'pg_opclass'::regclass AND d.objid = oc.oid AND d.deptype = 'e')) ORDER BY k)
            FROM generate_series(1, i.indnkeyatts) AS k
            JOIN pg_opclass oc ON oc.oid = i.indclass[k - 1]
            JOIN pg_namespace ocn ON ocn.oid = oc.opcnamespace
            LEFT JOIN pg_collation o ON o.oid = i.indcollation[k - 1]
            LEFT JOIN pg_namespace oo ON oo.oid = o.collnamespace
            LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k - 1] AND a.attnum > 0) AS parts,
         coalesce((SELECT jsonb_agg(a.attname ORDER BY k) FROM generate_series(i.indnkeyatts + 1, i.indnatts) AS k
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k - 1]), '[]') AS include
    FROM pg_index i
    JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_am m ON m.oid = x.relam
    JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
   ORDER BY x.relname COLLATE "C"`;

export interface ConstraintRow {
  readonly relation: string;
  readonly name: string;
  readonly kind: 'c' | 'f' | 'x' | 'p' | 'u';
  readonly expression: string | null;
  readonly definition: string;
  readonly is_validated: boolean;
  readonly is_enforced: boolean;
  readonly is_deferrable: boolean;
  readonly columns: readonly string[];
  readonly referenced: string | null;
  readonly referenced_schema: string | null;
  readonly referenced_columns: readonly string[];
  readonly on_update: string;
  readonly on_delete: string;
  readonly is_match_full: boolean;
  readonly is_partial_delete: boolean;
  readonly is_period: boolean;
}

export const CONSTRAINTS = `
  SELECT k.conrelid::text AS relation, k.conname AS name, k.contype::text AS kind,
         CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid) END AS expression,
         pg_get_constraintdef(k.oid) AS definition, k.convalidated AS is_validated, k.condeferrable AS is_deferrable,
         coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) AS is_enforced,
         coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false) AS is_period,
         coalesce((SELECT jsonb_agg(a.attname ORDER BY u.position) FROM unnest(k.conkey) WITH ORDINALITY AS u (number, position)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number), '[]') AS columns,
         r.relname AS referenced, rn.nspname AS referenced_schema,
         coalesce((SELECT jsonb_agg(a.attname ORDER BY u.position) FROM unnest(k.confkey) WITH ORDINALITY AS u (number, position)
            JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number), '[]') AS referenced_columns,
         k.confupdtype::text AS on_update, k.confdeltype::text AS on_delete, k.confmatchtype = 'f' AS is_match_full,
         to_jsonb(k) ->> 'confdelsetcols' IS NOT NULL AS is_partial_delete
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_class r ON r.oid = k.confrelid
    LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
   WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND k.contype IN ('c', 'f', 'x', 'p', 'u')
     AND (k.contype <> 'f' OR k.conparentid = 0)
   ORDER BY k.conname COLLATE "C"`;

export interface SequenceRow {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly type: string;
  readonly start: string;
  readonly increment: string;
  readonly min: string;
  readonly max: string;
  readonly cache: string;
  readonly cycles: boolean;
  readonly can_read: boolean;
  readonly owner_relation: string | null;
  readonly owner_number: string | null;
  readonly is_identity: boolean;
}

export const SEQUENCES = `
  SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name, format_type(s.seqtypid, NULL) AS type, s.seqstart::text AS start,
         s.seqincrement::text AS increment, s.seqmin::text AS min, s.seqmax::text AS max, s.seqcache::text AS cache,
         s.seqcycle AS cycles, has_sequence_privilege(c.oid, 'SELECT') AS can_read,
         d.refobjid::text AS owner_relation, d.refobjsubid::text AS owner_number, coalesce(d.deptype = 'i', false) AS is_identity
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_sequence s ON s.seqrelid = c.oid
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
      AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
   WHERE n.nspname = $1 AND ${NOT_OF_EXTENSION('pg_class', 'c.oid')}
   ORDER BY c.relname COLLATE "C"`;

export interface TypeRow {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'b' | 'c' | 'd' | 'e' | 'r' | 'm' | 'p';
  /** Oid of the elements' type, where this is an array of that type. */
  readonly element: string | null;
  readonly extension: string | null;
  readonly is_row: boolean;
  readonly base: string | null;
  readonly base_declared: string | null;
  readonly default_expression: string | null;
  readonly not_null: boolean;
  readonly collation: string | null;
  readonly labels: readonly string[] | null;
  readonly attributes:
    | readonly {
        readonly name: string;
        readonly type: string;
        readonly declared: string;
        readonly collation: string | null;
      }[]
    | null;
  readonly constraints: readonly { readonly name: string; readonly definition: string }[] | null;
  readonly range: {
    readonly subtype: string;
    readonly declared: string;
    readonly has_canonical: boolean;
    readonly operator_class: string | null;
    readonly operator_class_schema: string;
    readonly difference: string | null;
    readonly difference_schema: string | null;
    readonly collation: string | null;
  } | null;
  readonly comment: string | null;
}

/** All types that are not PostgreSQL's own, in every schema: columns may use them. */
export const TYPES = `
  SELECT t.oid::text AS oid, n.nspname AS schema, t.typname AS name, t.typtype::text AS kind,
         CASE WHEN e.typarray = t.oid THEN e.oid::text END AS element,
         (SELECT x.extname FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
           WHERE d.classid = 'pg_type'::regclass AND d.objid = coalesce(CASE WHEN e.typarray = t.oid THEN e.oid END, t.oid)
             AND d.deptype = 'e') AS extension,
         t.typrelid <> 0 AND (SELECT relkind FROM pg_class WHERE oid = t.typrelid) <> 'c' AS is_row,
         CASE WHEN t.typtype = 'd' THEN t.typbasetype::text END AS base,
         CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END AS base_declared,
         CASE WHEN t.typtype = 'd' THEN pg_get_expr(t.typdefaultbin, 0) END AS default_expression,
         t.typnotnull AS not_null,
         (SELECT quote_ident(o.collname) FROM pg_collation o JOIN pg_type b ON b.oid = t.typbasetype
           WHERE t.typtype = 'd' AND o.oid = t.typcollation AND t.typcollation <> b.typcollation) AS collation,
         (SELECT jsonb_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid) AS labels,
         CASE WHEN t.typtype = 'c' THEN (
           SELECT jsonb_agg(jsonb_build_object('name', a.attname, 'type', a.atttypid::text,
               'declared', format_type(a.atttypid, a.atttypmod),
               'collation', (SELECT o.collname FROM pg_collation o JOIN pg_type y ON y.oid = a.atttypid
                  WHERE o.oid = a.attcollation AND a.attcollation <> y.typcollation)) ORDER BY a.attnum)
             FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END AS attributes,
         (SELECT jsonb_agg(jsonb_build_object('name', k.conname, 'definition', pg_get_constraintdef(k.oid)) ORDER BY k.conname)
            FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c') AS constraints,
         (SELECT jsonb_build_object('subtype', r.rngsubtype::text, 'declared', format_type(r.rngsubtype, NULL),
             'has_canonical', r.rngcanonical <> 0, 'operator_class', CASE WHEN NOT oc.opcdefault THEN oc.opcname END,
             'operator_class_schema', ocn.nspname, 'difference', p.proname, 'difference_schema', pn.nspname,
             'collation', (SELECT o.collname FROM pg_collation o JOIN pg_type y ON y.oid = r.rngsubtype
                WHERE o.oid = r.rngcollation AND r.rngcollation <> y.typcollation))
            FROM pg_range r JOIN pg_opclass oc ON oc.oid = r.rngsubopc JOIN pg_namespace ocn ON ocn.oid = oc.opcnamespace
            LEFT JOIN pg_proc p ON p.oid = r.rngsubdiff LEFT JOIN pg_namespace pn ON pn.oid = p.pronamespace
           WHERE r.rngtypid = t.oid) AS range,
         obj_description(t.oid, 'pg_type') AS comment
    FROM pg_type t
    JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_type e ON e.oid = t.typelem
   WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
   ORDER BY n.nspname COLLATE "C", t.typname COLLATE "C"`;

export interface ObjectRow {
  readonly kind: 'trigger' | 'routine' | 'rule' | 'policy' | 'extension';
  readonly name: string;
  readonly definition: string | null;
}

/** What is listed but not moved, beside relations and types. */
export const OTHER_OBJECTS = `
  SELECT 'trigger' AS kind, c.relname || '.' || t.tgname AS name, pg_get_triggerdef(t.oid) AS definition
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND NOT t.tgisinternal AND coalesce((to_jsonb(t) ->> 'tgparentid')::bigint, 0) = 0
  UNION ALL
  SELECT 'routine', p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
         CASE WHEN p.prokind IN ('f', 'p', 'w') THEN pg_get_functiondef(p.oid) END
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE n.nspname = $1 AND ${NOT_OF_EXTENSION('pg_proc', 'p.oid')}
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')
  UNION ALL
  SELECT 'rule', c.relname || '.' || r.rulename, pg_get_ruledef(r.oid)
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND r.rulename <> '_RETURN'
  UNION ALL
  SELECT 'policy', c.relname || '.' || p.polname, pg_get_expr(p.polqual, p.polrelid)
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1
  UNION ALL
  SELECT 'extension', x.extname || ' ' || x.extversion, NULL FROM pg_extension x WHERE x.extname <> 'plpgsql'
  ORDER BY 1, 2`;

export interface ServerRow {
  readonly version: string;
  readonly version_number: string;
  readonly encoding: string;
  readonly collation_is_binary: boolean;
  readonly keywords: readonly string[];
}

/** `collation_is_binary`: text without a collation of its own sorts byte by byte. */
export const SERVER = `
  SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS version_number,
         current_setting('server_encoding') AS encoding,
         current_setting('server_encoding') = 'UTF8' AND CASE coalesce(to_jsonb(d) ->> 'datlocprovider', 'c')
           WHEN 'c' THEN d.datcollate IN ('C', 'POSIX')
           WHEN 'b' THEN to_jsonb(d) ->> 'datlocale' IN ('C', 'C.UTF-8') ELSE false END AS collation_is_binary,
         ARRAY(SELECT word FROM pg_get_keywords() WHERE catcode <> 'U') AS keywords
    FROM pg_database d WHERE d.datname = current_database()`;

export interface CollationRow {
  readonly schema: string;
  readonly name: string;
  readonly provider: string;
  readonly is_deterministic: boolean;
  readonly locale: string | null;
}

/** Collations that somebody has made. */
export const COLLATIONS = `
  SELECT n.nspname AS schema, o.collname AS name, o.collprovider::text AS provider, o.collisdeterministic AS is_deterministic,
         coalesce(to_jsonb(o) ->> 'colllocale', to_jsonb(o) ->> 'colliculocale', o.collcollate::text) AS locale
    FROM pg_collation o JOIN pg_namespace n ON n.oid = o.collnamespace
   WHERE n.nspname <> 'pg_catalog' OR o.collprovider = 'i'`;

/** Which database this is, among all there are: a copy by replication is the same. */
export const PLACE = `
  SELECT 'postgres:' || s.system_identifier || '/' || d.oid AS place
    FROM pg_control_system() AS s, pg_database AS d WHERE d.datname = current_database()`;

/** They belong to the database, and to no schema. */
export const LARGE_OBJECTS = `SELECT count(*)::text AS count FROM pg_largeobject_metadata`;
