#!/usr/bin/env bash
# Compares a SQLite file with the PostgreSQL schema that it was migrated into, with nothing but `sqlite3` and `psql`: no line of
# the hub takes part, so it cannot share the hub's mistakes.
#
#   compare-chinook.sh FILE postgres://… SCHEMA
#
# For each table: number of rows, every value of every row, primary key, foreign keys (there and validated), plain indexes, the
# next number of the identity. One line a table; the last line is OK (exit 0) or DIFFERENT (exit 1). Exit 2: a program is not
# installed. Exit 3: it could not compare.
#
# It expects the default naming (`identifiers: lower`) and indexes over columns: expressions and conditions of indexes, which
# Chinook has not, count as different.
set -euo pipefail
export LC_ALL=C

cannot() {
  printf 'Cannot compare: %s\n' "$1" >&2
  exit "${2:-3}"
}

[ $# -eq 3 ] || cannot 'usage: compare-chinook.sh FILE postgres://… SCHEMA'
file=$1 url=$2 schema=$3
for program in sqlite3 psql; do
  command -v "$program" >/dev/null || cannot "$program is not installed" 2
done
[ -r "$file" ] || cannot "$file cannot be read"

export PGCONNECT_TIMEOUT=10
export PGOPTIONS='-c TimeZone=UTC -c default_transaction_read_only=on -c client_min_messages=warning'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A program that fails in the middle has compared nothing: that is neither equal nor different.
set -E
trap 'exit 3' ERR

# The queries come on standard input: those of wide tables are longer than an argument may be.
from_source() { sqlite3 -batch -readonly -init /dev/null -noheader -list "$file"; }
from_target() { psql -X -q -A -t -v ON_ERROR_STOP=1 -v schema="$schema" -v table="${target:-}" "$url"; }

quote() { printf '"%s"' "${1//\"/\"\"}"; }
literal() { printf "'%s'" "${1//\'/\'\'}"; }
# The 26 letters of ASCII, as LC_ALL=C has it.
lower() { printf '%s' "$1" | tr 'A-Z' 'a-z'; }

# ---------------------------------------------------------------------------------------------------------------- values
# A value becomes text without tab or line break, NULL becomes \N. Which text is up to the target's type.

escaped() { # dialect, text expression
  local char=char
  [ "$1" = source ] || char=chr
  printf '%s' "replace(replace(replace(replace($2, '\\', '\\\\'), $char(9), '\\t'), $char(10), '\\n'), $char(13), '\\r')"
}

source_value() { # type, column
  local text="CAST($2 AS TEXT)"
  case $1 in
    smallint | integer | bigint)
      printf "CASE WHEN typeof(%s) = 'real' AND %s = CAST(%s AS INTEGER) THEN CAST(CAST(%s AS INTEGER) AS TEXT) ELSE %s END" \
        "$2" "$2" "$2" "$2" "$text" ;;
    numeric* | real | 'double precision') printf "printf('%%.6f', %s)" "$2" ;;
    boolean) printf "CASE %s WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE '?' || %s END" "$2" "$text" ;;
    timestamp*) printf "coalesce(strftime('%%Y-%%m-%%d %%H:%%M:%%f', %s), '?' || %s)" "$2" "$text" ;;
    date) printf "coalesce(date(%s), '?' || %s)" "$2" "$text" ;;
    bytea) printf 'lower(hex(%s))' "$2" ;;
    *) escaped source "$text" ;;
  esac
}

target_value() { # type, column
  case $1 in
    numeric* | real | 'double precision') printf 'round(%s::numeric, 6)::text' "$2" ;;
    timestamp*) printf "to_char(%s, 'YYYY-MM-DD HH24:MI:SS.MS')" "$2" ;;
    date) printf "to_char(%s, 'YYYY-MM-DD')" "$2" ;;
    bytea) printf "encode(%s, 'hex')" "$2" ;;
    *) escaped target "$2::text" ;;
  esac
}

# Writes the rows of $table and $target to $work/source.rows and $work/target.rows, in the order of the primary key.
write_rows() { # primary key as the source spells it, one column a line
  local name type source_fields='' target_fields='' source_order='' target_order=''
  while IFS= read -r name; do
    type=$(target_type "$(lower "$name")")
    [ -n "$type" ] || continue # told by compare_columns
    local here=$(quote "$name") there=$(quote "$(lower "$name")")
    source_fields+="${source_fields:+ || char(9) || }CASE WHEN $here IS NULL THEN '\\N' ELSE $(source_value "$type" "$here") END"
    target_fields+="${target_fields:+ || chr(9) || }coalesce($(target_value "$type" "$there"), '\\N')"
    if grep -Fxq -- "$name" <<<"$1"; then
      [ "$type" != text ] || there+=' COLLATE "C"'
      source_order+="${source_order:+, }$here"
      target_order+="${target_order:+, }$there"
    fi
  done <"$work/source.columns"

  from_source <<<"SELECT $source_fields FROM $(quote "$table")${source_order:+ ORDER BY $source_order};" >"$work/source.rows"
  from_target <<<"SELECT $target_fields FROM $(quote "$schema").$(quote "$target")${target_order:+ ORDER BY $target_order};" \
    >"$work/target.rows"
  [ -z "$source_order" ] || return 0
  sort -o "$work/source.rows" "$work/source.rows"
  sort -o "$work/target.rows" "$work/target.rows"
}

target_type() { awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$work/target.columns"; }

# -------------------------------------------------------------------------------------------------------------- catalogs

source_catalog() { # what
  local t=$(literal "$table")
  case $1 in
    columns) from_source <<<"SELECT name FROM pragma_table_xinfo($t) WHERE hidden <> 1 ORDER BY cid;" ;;
    key) from_source <<<"SELECT name FROM pragma_table_info($t) WHERE pk > 0 ORDER BY pk;" ;;
    foreign_keys)
      from_source <<<"SELECT lower(group_concat(\"from\", ',') || ' -> ' || \"table\" || ' (' || group_concat(parent, ',') || ')')
          || ' ' || on_update || ' ' || on_delete || ' valid'
        FROM (SELECT f.*, coalesce(f.\"to\", (SELECT name FROM pragma_table_info(f.\"table\") WHERE pk = f.seq + 1)) AS parent
                FROM pragma_foreign_key_list($t) f ORDER BY f.id, f.seq) GROUP BY id;" | sort ;;
    indexes)
      # An index that a UNIQUE constraint has made has no name of its own.
      from_source <<<"SELECT lower(CASE origin WHEN 'c' THEN index_name ELSE 'constraint' END) || CASE \"unique\" WHEN 1 THEN ' unique' ELSE '' END
          || ' (' || lower(group_concat(part, ',')) || ')'
        FROM (SELECT l.seq AS number, l.name AS index_name, l.origin, l.\"unique\", coalesce(x.name, '?') || CASE x.desc WHEN 1 THEN ' desc' ELSE '' END AS part
                FROM pragma_index_list($t) l, pragma_index_xinfo(l.name) x WHERE l.origin <> 'pk' AND x.key = 1 ORDER BY l.seq, x.seqno)
       GROUP BY number;" | sort ;;
    next_number) # only what SQLite numbers itself: the one INTEGER column of a primary key
      from_source <<<"SELECT name FROM pragma_table_info($t) WHERE pk = 1 AND upper(type) = 'INTEGER'
          AND (SELECT count(*) FROM pragma_table_info($t) WHERE pk > 0) = 1
          AND NOT EXISTS (SELECT 1 FROM pragma_index_list($t) WHERE origin = 'pk');" | while IFS= read -r column; do
        local counter='0'
        [ "$(from_source <<<"SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_sequence';")" = 0 ] ||
          counter="coalesce((SELECT seq FROM sqlite_sequence WHERE name = $t), 0)"
        from_source <<<"SELECT max(coalesce(max($(quote "$column")), 0), $counter) + 1 FROM $(quote "$table");"
      done ;;
  esac
}

target_catalog() { # what
  local oid="(SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :'schema' AND c.relname = :'table')"
  local names="(SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(%s) WITH ORDINALITY k (attnum, n)
                  JOIN pg_attribute a ON a.attrelid = %s AND a.attnum = k.attnum)"
  case $1 in
    columns)
      from_target <<<"SELECT attname || chr(9) || format_type(atttypid, NULL) FROM pg_attribute
        WHERE attrelid = $oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum;" ;;
    key)
      from_target <<<"SELECT unnest(string_to_array($(printf "$names" conkey conrelid), ',')) FROM pg_constraint
        WHERE contype = 'p' AND conrelid = $oid;" ;;
    foreign_keys)
      from_target <<<"SELECT $(printf "$names" conkey conrelid) || ' -> ' || p.relname || ' (' || $(printf "$names" confkey confrelid) || ') '
          || $(action confupdtype) || ' ' || $(action confdeltype) || CASE WHEN convalidated THEN ' valid' ELSE ' NOT VALID' END
        FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid WHERE contype = 'f' AND conrelid = $oid;" | sort ;;
    indexes)
      from_target <<<"SELECT i.relname || CASE WHEN x.indisunique THEN ' unique' ELSE '' END || CASE WHEN x.indisvalid THEN '' ELSE ' NOT VALID' END || ' ('
          || (SELECT string_agg(replace(pg_get_indexdef(x.indexrelid, k, true), '\"', '') || CASE WHEN x.indoption[k - 1] & 1 = 1 THEN ' desc' ELSE '' END, ',' ORDER BY k)
                FROM generate_series(1, x.indnkeyatts) k) || ')'
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = $oid AND NOT x.indisprimary;" | sort ;;
    next_number)
      from_target <<<"SELECT format('SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END FROM %s;', s.oid::regclass)
        FROM pg_attribute a JOIN pg_depend d ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype = 'i'
        JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' WHERE a.attrelid = $oid AND a.attidentity <> '' \\gexec" ;;
  esac
}

action() { # column of pg_constraint
  printf "CASE %s WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END" "$1"
}

# ------------------------------------------------------------------------------------------------------------ comparison

differences=()

compare() { # what, source, target
  [ "$2" = "$3" ] && return
  differences+=("$1")
  printf '  %s: source %s, target %s\n' "$1" "${2:-(none)}" "${3:-(none)}" | tr '\n' ' ' >>"$work/detail"
  printf '\n' >>"$work/detail"
}

compare_table() {
  differences=()
  : >"$work/detail"
  target_catalog columns >"$work/target.columns"
  if [ ! -s "$work/target.columns" ]; then
    differences=('table missing')
    return
  fi
  source_catalog columns >"$work/source.columns"
  local key
  key=$(source_catalog key)
  compare columns "$(tr 'A-Z' 'a-z' <"$work/source.columns" | sort)" "$(cut -f 1 "$work/target.columns" | sort)"
  compare 'primary key' "$(lower "$key")" "$(target_catalog key)"
  compare 'foreign keys' "$(source_catalog foreign_keys)" "$(target_catalog foreign_keys)"
  compare_indexes
  compare 'next number' "$(source_catalog next_number)" "$(target_catalog next_number)"

  write_rows "$key"
  rows=$(from_source <<<"SELECT count(*) FROM $(quote "$table");")
  compare 'row count' "$rows" "$(from_target <<<"SELECT count(*) FROM $(quote "$schema").$(quote "$target");")"
  cmp -s "$work/source.rows" "$work/target.rows" && return
  differences+=('values')
  diff "$work/source.rows" "$work/target.rows" | grep '^[<>]' | head -6 | cut -c 1-300 | sed 's/^</  source:/; s/^>/  target:/' >>"$work/detail" || true
}

compare_indexes() {
  local here there
  here=$(source_catalog indexes)
  there=$(target_catalog indexes)
  # Constraints of the source have no name to compare: compare their columns only.
  if grep -q '^constraint' <<<"$here"; then
    here=$(sed 's/^[^ ]* //' <<<"$here" | sort)
    there=$(sed 's/^[^ ]* //' <<<"$there" | sort)
  fi
  compare indexes "$here" "$there"
}

from_target <<<'SELECT 1;' >"$work/reached" 2>&1 || cannot "PostgreSQL: $(head -1 "$work/reached")"
from_source <<<"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name;" \
  >"$work/tables" 2>"$work/error" || cannot "SQLite: $(head -1 "$work/error")"
[ -s "$work/tables" ] || cannot "$file has no table"

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
