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

# A spool as a tar archive, from the data folder $0. A file that grows or goes meanwhile is no fault, and tar says 1. That is
# judged beside tar: docker compose says 1, too, when it cannot run it.
read_spool='tar -C "$0" -cf - writer.json spool; [ $? -le 1 ]'
# All of an archive can be read, and what each api has is in it.
is_spool() {
  members=$(tar -tf "$1") || return 1
  printf '%s\n' "$members" | grep -qx writer.json && printf '%s\n' "$members" | grep -qx spool/
}

# The same of what InfluxDB's programs wrote.
is_points() {
  members=$(tar -tf "$1") || return 1
  printf '%s\n' "$members" | grep -q '\.manifest$'
}

# Everyone on the machine sees arguments; the environment is its owner's. So the password goes there, as libpq would read it.
hide_password() {
  after=${DATABASE_URL#*://}
  user=${after%%@*}
  [ "$user" != "$after" ] || return 0
  case $user in */*) return 0 ;; *:*) ;; *) return 0 ;; esac
  PGPASSWORD=$(decode_percent "${user#*:}")
  export PGPASSWORD
  DATABASE_URL=${DATABASE_URL%%://*}://${user%%:*}@${after#*@}
}
decode_percent() {
  left=$1
  while [ "$left" != "${left#*%}" ]; do
    printf %s "${left%%\%*}"
    left=${left#*%}
    digits=${left%"${left#??}"}
    left=${left#??}
    printf %b "\\0$(printf %o "0x$digits")"
  done
  printf %s "$left"
}

if $isCompose; then
  compose=${TIDEMARK_COMPOSE:-docker compose}
  apis=${TIDEMARK_APIS:-api-1 api-2}
  DATABASE_URL='postgres:///tidemark?user=tidemark'
  database=tidemark
  on() { service=$1 && shift && $compose exec -T "$service" "$@"; }
  read_api() { on "$1" sh -c "$read_spool" /data; }
  # They do not run yet.
  new_api() { service=$1 && shift && $compose run --rm --no-deps -T "$service" "$@"; }
  write_api() { new_api "$1" tar -C /data -xf -; }
  is_new_api() { new_api "$1" test ! -e /data/spool; }
  influx2() {
    $compose exec -T influxdb sh -c 'INFLUX_TOKEN=$DOCKER_INFLUXDB_INIT_ADMIN_TOKEN exec influx "$@"' influx "$@"
  }
  org=tidemark
  influx1=
  # Their /tmp is small and in memory.
  new_scratch() { on influxdb mktemp -d /var/lib/influxdb2/backup.XXXXXX; }
else
  apis=${TIDEMARK_API_FOLDERS:?name the data folders of all apis}
  : "${DATABASE_URL:?name PostgreSQL}"
  hide_password
  database=${INFLUXDB_BUCKET:-tidemark}
  on() { shift && "$@"; }
  read_api() { sh -c "$read_spool" "$1"; }
  write_api() { mkdir -p "$1" && tar -C "$1" -xf -; }
  is_new_api() { [ ! -e "$1/spool" ]; }
  influx2() {
    INFLUX_HOST=${INFLUXDB_URL:?name InfluxDB} INFLUX_TOKEN=${INFLUXDB_ADMIN_TOKEN:?name its operator token} influx "$@"
  }
  org=${INFLUXDB_ORG:-tidemark}
  influx1=${INFLUXDB_BACKUP:-}
  new_scratch() { mktemp -d; }
fi

# The folder that InfluxDB's programs write and read, beside them. Made when it is needed; a trap drops it.
scratch=
make_scratch() { scratch=$(new_scratch); }
drop_scratch() { [ -z "$scratch" ] || on influxdb rm -rf "$scratch"; }

# InfluxDB 1.x names files by the second and reads all of a folder as one backup; two shelves in one second would be one.
# 2.x makes a bucket from each folder of its own.
if [ -n "$influx1" ]; then
  save_shelf() {
    influxd backup -portable -host "$influx1" -db "$database" -rp "$1" "$scratch" >&2
    sleep 1
  }
  # Its restore asks, and refuses before it writes anything.
  has_no_shelf() { true; }
  load_shelves() { influxd restore -portable -host "$influx1" -db "$database" "$scratch" >&2; }
else
  save_shelf() { influx2 backup --org "$org" --bucket "$database/$1" "$scratch/$1" >&2; }
  has_no_shelf() {
    buckets=$(influx2 bucket list --org "$org" --hide-headers) || return 1
    ! printf '%s\n' "$buckets" | grep -qE "[[:space:]]$database/(meta|minute|hour|raw)[[:space:]]"
  }
  load_shelves() {
    for shelf in meta minute hour raw; do
      influx2 restore --org "$org" --bucket "$database/$shelf" "$scratch/$shelf" >&2
    done
  }
fi
