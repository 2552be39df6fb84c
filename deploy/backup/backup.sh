#!/bin/sh
# Backs up several instances of Tidemark while they run: sh deploy/backup/backup.sh [--compose] FOLDER
#
# docs/backup.md says what it does in which order and why. With --compose it goes into the containers of docker-compose.yml,
# without it takes the programs of this machine (pg_dump, tar, influxd or influx) and reads:
#
#   DATABASE_URL                                      PostgreSQL, as the apis have it
#   INFLUXDB_BACKUP                                   1.x: host:port where influxd takes backups, as in 127.0.0.1:8088
#   INFLUXDB_URL, INFLUXDB_ORG, INFLUXDB_ADMIN_TOKEN  2.x: its address, organisation and operator token
#   INFLUXDB_BUCKET                                   as the apis have it, tidemark
#   TIDEMARK_API_FOLDERS                              data folders of all apis, with spaces between them
set -eu
umask 077
. "$(dirname "$0")/places.sh"

[ $# -eq 1 ] || fail 'name one folder to make'
to=$1
[ ! -e "$to" ] || fail "$to is there already"
aside=
trap 'rm -rf ${aside:+"$aside"}; drop_scratch' EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$(dirname "$to")"
aside=$(mktemp -d "$(dirname "$to")/.$(basename "$to").XXXXXX")

# 1. The state: an alert in the backup then has its points there, too.
say 'PostgreSQL'
on postgres pg_dump --format=custom --no-owner --dbname="$DATABASE_URL" > "$aside/state.dump"

# 2. Points that wait in a spool, before those in InfluxDB: what is drained in between is there.
number=0
for api in $apis; do
  number=$((number + 1))
  say "the spool of $api"
  read_api "$api" > "$aside/spool-$number.tar" && is_spool "$aside/spool-$number.tar" || fail "$api could not be read"
done

# 3. InfluxDB, marks first: they vouch for rows, and rows without a mark do no harm. Raw points last.
make_scratch
for shelf in meta minute hour raw; do
  say "InfluxDB, $shelf"
  save_shelf "$shelf"
done
on influxdb tar -C "$scratch" -cf - . > "$aside/points.tar"

sync
mv "$aside" "$to"
say "backed up to $to"
