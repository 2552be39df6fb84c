# What backup.sh and restore.sh share: where each part is. Read by them, not run.

say() { echo "tidemark: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

isCompose=false
if [ "${1:-}" = --compose ]; then
  isCompose=true
  shift
fi
database=${INFLUXDB_BUCKET:-tidemark}

if $isCompose; then
  compose=${TIDEMARK_COMPOSE:-docker compose}
  apis=${TIDEMARK_APIS:-api-1 api-2}
  DATABASE_URL='postgres:///tidemark?user=tidemark'
  on() { service=$1 && shift && $compose exec -T "$service" "$@"; }
  read_api() { on "$1" tar -C /data -cf - writer.json spool; }
  # They do not run yet.
  new_api() { service=$1 && shift && $compose run --rm --no-deps -T "$service" "$@"; }
  write_api() { new_api "$1" tar -C /data -xf -; }
  is_new_api() { new_api "$1" test ! -e /data/spool; }
  influx2() {
    $compose exec -T influxdb sh -c 'INFLUX_TOKEN=$DOCKER_INFLUXDB_INIT_ADMIN_TOKEN exec influx "$@"' influx "$@"
  }
  org=tidemark
  # Their /tmp is small and in memory.
  scratch=$(on influxdb mktemp -d /var/lib/influxdb2/backup.XXXXXX)
else
  apis=${TIDEMARK_API_FOLDERS:?name the data folders of all apis}
  : "${DATABASE_URL:?name PostgreSQL}"
  on() { shift && "$@"; }
  read_api() { tar -C "$1" -cf - writer.json spool; }
  write_api() { mkdir -p "$1" && tar -C "$1" -xf -; }
  is_new_api() { [ ! -e "$1/spool" ]; }
  influx2() {
    INFLUX_HOST=${INFLUXDB_URL:?name InfluxDB} INFLUX_TOKEN=${INFLUXDB_ADMIN_TOKEN:?name its operator token} influx "$@"
  }
  org=${INFLUXDB_ORG:-tidemark}
  scratch=$(mktemp -d)
fi

drop_scratch() { on influxdb rm -rf "$scratch"; }

# InfluxDB 1.x names files by the second and reads all of a folder as one backup; two shelves in one second would be one.
# 2.x makes a bucket from each folder of its own.
if [ -n "${INFLUXDB_BACKUP:-}" ]; then
  save_shelf() {
    influxd backup -portable -host "$INFLUXDB_BACKUP" -db "$database" -rp "$1" "$scratch" >&2
    sleep 1
  }
  load_shelves() { influxd restore -portable -host "$INFLUXDB_BACKUP" -db "$database" "$scratch" >&2; }
else
  save_shelf() { influx2 backup --org "$org" --bucket "$database/$1" "$scratch/$1" >&2; }
  load_shelves() {
    for shelf in meta minute hour raw; do
      influx2 restore --org "$org" --bucket "$database/$shelf" "$scratch/$shelf" >&2
    done
  }
fi
