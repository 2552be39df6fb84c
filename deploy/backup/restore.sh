#!/bin/sh
# Restores a backup of backup.sh into empty servers and folders: sh deploy/backup/restore.sh [--compose] [--only PART] FOLDER
#
# PART is state, points or spools; all three without it.
# No api and no worker may run. Settings are those of backup.sh, for the new servers; TIDEMARK_API_FOLDERS in the same order.
# Nothing that is there is overwritten: what is not empty is refused.
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

if wants spools; then
  each_api check_spool
  [ ! -f "$from/spool-$((number + 1)).tar" ] || fail "$from has the spools of more than $number apis"
fi
if wants state; then
  say 'PostgreSQL'
  on postgres pg_restore --exit-on-error --single-transaction --no-owner --no-privileges --dbname="$DATABASE_URL" < "$from/state.dump"
fi
if wants points; then
  say 'InfluxDB'
  make_scratch
  on influxdb tar -C "$scratch" -xf - < "$from/points.tar"
  load_shelves
fi
if wants spools; then each_api restore_spool; fi
say 'restored; start the apis and workers with the TIDEMARK_SECRET of the backup and an empty Redis'
