#!/usr/bin/env bash
# Compares a MySQL or MariaDB database with the PostgreSQL schema that it was migrated into, with nothing but `mysql` and `psql`:
# no line of the hub takes part, so it cannot share the hub's mistakes.
#
#   compare-mysql.sh DATABASE postgres://… SCHEMA [arguments of mysql: --host=… --user=…]
#
# The password of MySQL comes from MYSQL_PWD. For each table: number of rows, every value of every row, columns with their
# nullability, primary key, foreign keys (there and validated), plain indexes. One line a table; the last line is OK (exit 0) or
# DIFFERENT (exit 1). Exit 2: a program is not
# installed. Exit 3: it could not compare.
#
# It expects the default naming (`identifiers: lower`), and knows whole numbers, decimals, dates and text.
set -Eeuo pipefail
export LC_ALL=C

cannot() {
  printf 'Cannot compare: %s\n' "$1" >&2
  exit "${2:-3}"
}

[ $# -ge 3 ] || cannot 'usage: compare-mysql.sh DATABASE postgres://… SCHEMA [arguments of mysql]'
database=$1 url=$2 schema=$3
shift 3
mysql_arguments=("$@")
for program in mysql psql; do
  command -v "$program" >/dev/null || cannot "$program is not installed" 2
done

export PGCONNECT_TIMEOUT=10
export PGOPTIONS='-c TimeZone=UTC -c default_transaction_read_only=on -c client_min_messages=warning'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A program that fails in the middle has compared nothing: that is neither equal nor different.
trap 'exit 3' ERR

from_source() {
  mysql --no-defaults "${mysql_arguments[@]}" --default-character-set=utf8mb4 --batch --raw --skip-column-names --quick \
    --init-command="SET time_zone = '+00:00', sql_mode = '', @t = '${table:-}', @d = '$database'" "$database"
}
from_target() { psql -X -q -A -t -v ON_ERROR_STOP=1 -v schema="$schema" -v table="${target:-}" "$url"; }

lower() { printf '%s' "$1" | tr 'A-Z' 'a-z'; }
backquote() { printf '`%s`' "${1//\`/\`\`}"; }
quote() { printf '"%s"' "${1//\"/\"\"}"; }

# A value becomes text without tab or line break, NULL becomes \N.
source_value() {
  printf "IFNULL(REPLACE(REPLACE(REPLACE(REPLACE(CAST(%s AS CHAR), '\\\\\\\\', '\\\\\\\\\\\\\\\\'), '\\\\t', '\\\\\\\\t'), '\\\\n', '\\\\\\\\n'), '\\\\r', '\\\\\\\\r'), '\\\\\\\\N')" "$1"
}
target_value() {
  printf "coalesce(replace(replace(replace(replace(%s::text, '\\\\', '\\\\\\\\'), chr(9), '\\\\t'), chr(10), '\\\\n'), chr(13), '\\\\r'), '\\\\N')" "$1"
}

write_rows() {
  local name here='' there=''
  while IFS= read -r name; do
    here+="${here:+, }$(source_value "$(backquote "$name")")"
    there+="${there:+ || chr(9) || }$(target_value "$(quote "$(lower "$name")")")"
  done < <(from_source <<<'SELECT column_name FROM information_schema.columns WHERE table_schema = @d AND table_name = @t ORDER BY ordinal_position;')
  from_source <<<"SELECT CONCAT_WS('\\t', $here) FROM $(backquote "$table");" | sort >"$work/source.rows"
  from_target <<<"SELECT $there FROM $(quote "$schema").$(quote "$target");" | sort >"$work/target.rows"
}

source_catalog() {
  case $1 in
    columns) from_source <<<"SELECT CONCAT(LOWER(column_name), ' ', is_nullable) FROM information_schema.columns
      WHERE table_schema = @d AND table_name = @t ORDER BY ordinal_position;" ;;
    key) from_source <<<"SELECT LOWER(column_name) FROM information_schema.key_column_usage
      WHERE table_schema = @d AND table_name = @t AND constraint_name = 'PRIMARY' ORDER BY ordinal_position;" ;;
    foreign_keys) from_source <<<"SELECT LOWER(CONCAT(k.constraint_name, ' ', GROUP_CONCAT(k.column_name ORDER BY k.ordinal_position),
        ' -> ', MAX(k.referenced_table_name), ' (', GROUP_CONCAT(k.referenced_column_name ORDER BY k.ordinal_position), ') ',
        MAX(REPLACE(r.update_rule, 'RESTRICT', 'NO ACTION')), ' ', MAX(REPLACE(r.delete_rule, 'RESTRICT', 'NO ACTION')), ' valid'))
      FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r
        ON r.constraint_schema = k.table_schema AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name
      WHERE k.table_schema = @d AND k.table_name = @t GROUP BY k.constraint_name;" | sort ;;
    indexes) from_source <<<"SELECT LOWER(CONCAT(index_name, IF(MIN(non_unique) = 0, ' unique', ''), ' (', GROUP_CONCAT(column_name ORDER BY seq_in_index), ')'))
      FROM information_schema.statistics WHERE table_schema = @d AND table_name = @t AND index_name <> 'PRIMARY' GROUP BY index_name;" | sort ;;
  esac
}

target_catalog() {
  local oid="(SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :'schema' AND c.relname = :'table')"
  local names="(SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(%s) WITH ORDINALITY k (attnum, n)
                  JOIN pg_attribute a ON a.attrelid = %s AND a.attnum = k.attnum)"
  local action="CASE %s WHEN 'a' THEN 'no action' WHEN 'r' THEN 'no action' WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' ELSE 'set default' END"
  case $1 in
    columns) from_target <<<"SELECT attname || CASE WHEN attnotnull THEN ' NO' ELSE ' YES' END FROM pg_attribute
      WHERE attrelid = $oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum;" ;;
    key) from_target <<<"SELECT unnest(string_to_array($(printf "$names" conkey conrelid), ',')) FROM pg_constraint
      WHERE contype = 'p' AND conrelid = $oid;" ;;
    foreign_keys) from_target <<<"SELECT conname || ' ' || $(printf "$names" conkey conrelid) || ' -> ' || p.relname || ' ('
        || $(printf "$names" confkey confrelid) || ') ' || $(printf "$action" confupdtype) || ' ' || $(printf "$action" confdeltype)
        || CASE WHEN convalidated THEN ' valid' ELSE ' not valid' END
      FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid WHERE contype = 'f' AND conrelid = $oid;" | sort ;;
    indexes) from_target <<<"SELECT i.relname || CASE WHEN x.indisunique THEN ' unique' ELSE '' END || ' ('
        || $(printf "$names" x.indkey x.indrelid) || ')'
      FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = $oid AND NOT x.indisprimary AND x.indisvalid;" | sort ;;
  esac
}

differences=()
compare() {
  [ "$2" = "$3" ] && return
  differences+=("$1")
  printf '  %s: source %s, target %s\n' "$1" "${2:-(none)}" "${3:-(none)}" | tr '\n' ' ' >>"$work/detail"
  printf '\n' >>"$work/detail"
}

compare_table() {
  differences=()
  : >"$work/detail"
  local what
  for what in columns key foreign_keys indexes; do
    compare "$what" "$(source_catalog "$what")" "$(target_catalog "$what")"
  done
  [ -n "$(target_catalog columns)" ] || return 0
  write_rows
  rows=$(wc -l <"$work/source.rows")
  cmp -s "$work/source.rows" "$work/target.rows" && return
  differences+=('values')
  diff "$work/source.rows" "$work/target.rows" | grep '^[<>]' | head -6 | cut -c 1-300 | sed 's/^</  source:/; s/^>/  target:/' >>"$work/detail" || true
}

from_target <<<'SELECT 1;' >"$work/reached" 2>&1 || cannot "PostgreSQL: $(head -1 "$work/reached")"
from_source <<<"SELECT table_name FROM information_schema.tables WHERE table_schema = @d AND table_type = 'BASE TABLE' ORDER BY table_name;" \
  >"$work/tables" 2>"$work/error" || cannot "MySQL: $(head -1 "$work/error")"
[ -s "$work/tables" ] || cannot "$database has no table"

verdict=OK
while IFS= read -r table <&3; do
  target=$(lower "$table") rows=0
  compare_table
  if [ ${#differences[@]} -eq 0 ]; then
    printf '%-24s %8d rows  same\n' "$table" "$rows"
    continue
  fi
  verdict=DIFFERENT
  printf '%-24s %8d rows  DIFFERENT: %s\n' "$table" "$rows" "$(printf '%s, ' "${differences[@]}" | sed 's/, $//')"
  cat "$work/detail"
done 3<"$work/tables"

extra=$(from_target <<<"SELECT tablename FROM pg_tables WHERE schemaname = :'schema' ORDER BY 1;" |
  grep -Fxv -f <(tr 'A-Z' 'a-z' <"$work/tables") || true)
if [ -n "$extra" ]; then
  verdict=DIFFERENT
  printf 'Only in the target: %s\n' "$(tr '\n' ' ' <<<"$extra")"
fi

printf '%s\n' "$verdict"
[ "$verdict" = OK ] || exit 1
