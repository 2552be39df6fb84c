#!/bin/sh
# Restores a backup of backup.sh into empty servers and folders: sh deploy/backup/restore.sh [--compose] [--only PART] FOLDER
#
# PART is state, points or spools; all three without it.
# No api and no worker may run. Settings are those of backup.sh, for the new servers; TIDEMARK_API_FOLDERS in the same order.
# Nothing that is there is overwritten: what is not empty is refused, and so is a backup that is damaged, before anything is restored.
set -eu
umask 077
. "$(dirname "$0")/places.sh"

parts='state points spools'
if [ "${1:-}" = --only ]; then
  case " $parts " in *" ${2:-} "*) parts=$2 ;; *) fail "--only takes one of $parts" ;; esac
  shift 2
fi
wants() { case " $parts " in *" $1 "*) true ;; *) false ;; esac }
[ $# -eq 1 ] || fail 'name the folder of a backup'
from=$1
[ -f "$from/state.dump" ] && [ -f "$from/points.tar" ] || fail "$from holds no backup"
trap drop_scratch EXIT
trap 'exit 130' INT TERM HUP

each_api() {
  number=0
  for api in $apis; do
    number=$((number + 1))
    "$1" "$api" "$from/spool-$number.tar"
  done
}
check_spool() {
  [ -f "$2" ] || fail "$2 is not there: does the backup have fewer apis?"
  is_spool "$2" || fail "$2 is damaged"
  is_new_api "$1" || fail "$1 has a spool already"
}
restore_spool() {
  say "the spool of $1"
  write_api "$1" < "$2"
}
check_state() {
  on postgres pg_restore --file=/dev/null < "$from/state.dump" || fail "$from/state.dump is damaged"
  tables=$(on postgres psql -XAtq --dbname="$DATABASE_URL" --command="SELECT count(*) FROM pg_catalog.pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema')") || fail 'PostgreSQL cannot be asked what it has'
  [ "$tables" = 0 ] || fail 'the database in PostgreSQL is not empty'
}
check_points() {
  is_points "$from/points.tar" || fail "$from/points.tar is damaged"
  has_no_shelf || fail "InfluxDB has $database already, or cannot be asked"
}

# 1. Everything is looked at before anything is restored.
if wants spools; then
  each_api check_spool
  [ ! -f "$from/spool-$((number + 1)).tar" ] || fail "$from has the spools of more than $number apis"
fi
if wants state; then check_state; fi
if wants points; then check_points; fi

# 2. InfluxDB before the others: 1.x cannot be asked what it has, but refuses by itself, before it restores anything.
if wants points; then
  say 'InfluxDB'
  make_scratch
  on influxdb tar -C "$scratch" -xf - < "$from/points.tar"
  load_shelves
fi
if wants state; then
  say 'PostgreSQL'
  on postgres pg_restore --exit-on-error --single-transaction --no-owner --no-privileges --dbname="$DATABASE_URL" < "$from/state.dump"
fi
if wants spools; then each_api restore_spool; fi
say 'restored; start the apis and workers with the TIDEMARK_SECRET of the backup and an empty Redis'
