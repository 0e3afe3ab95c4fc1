#!/bin/bash
# A throwaway PostgreSQL cluster for tests, from Debian's binaries.
#
#   pg.sh start DIR   creates DIR (which must not exist or be empty), starts a cluster in it on a free loopback port and
#                     prints its base URL; a database name is appended to it: postgres://postgres@127.0.0.1:PORT/NAME
#   pg.sh stop DIR    stops the cluster and removes DIR
#   pg.sh guard DIR   waits until standard input ends, then does as stop: for a program that may die at any moment
#
# initdb refuses root, so as root everything runs as the system user `postgres`. fsync stays on: what tests measure and
# rely on is what production does. Trust authentication is for a loopback port that lives as long as a test run.
set -euo pipefail

say() { echo "pg.sh: $*" >&2; }
usage() { say "usage: pg.sh start|stop|guard DIR"; exit 2; }
[ $# -eq 2 ] || usage
dir=$2
case $dir in /?*) ;; *) say "DIR must be an absolute path: $dir"; exit 2 ;; esac

# Debian's own, newest first; another `postgres` may come earlier in PATH.
bin=${CLOUD_BOOTH_PG_BIN:-$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -Vr | head -n 1)}
if [ -z "$bin" ] || [ ! -x "$bin/initdb" ]; then
  say "PostgreSQL's server is not installed (Debian package: postgresql)"
  exit 1
fi

as_owner() {
  # `env -i` keeps PG* variables and the caller's locale out; the working directory must be readable to the user.
  if [ "$(id -u)" -eq 0 ]; then
    (cd / && setpriv --reuid=postgres --regid=postgres --init-groups env -i PATH=/usr/bin:/bin LC_ALL=C "$@")
  else
    (cd / && env -i PATH=/usr/bin:/bin LC_ALL=C "$@")
  fi
}

start() {
  if [ -e "$dir" ] && [ -n "$(ls -A "$dir")" ]; then say "$dir is not empty"; exit 1; fi
  mkdir -p "$dir"
  if [ "$(id -u)" -eq 0 ]; then chown postgres:postgres "$dir"; fi
  chmod 700 "$dir"
  # initdb's own fsync (-N skips it) protects nothing: the cluster does not outlive the run.
  if ! as_owner "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N >"$dir.initdb" 2>&1; then
    cat "$dir.initdb" >&2
    rm -rf "$dir" "$dir.initdb"
    exit 1
  fi
  rm -f "$dir.initdb"
  # 96 bytes is the longest path a socket may have with its file name; a deep directory goes without the socket.
  socket=$dir
  [ ${#dir} -le 80 ] || socket=
  as_owner tee -a "$dir/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$socket'
max_connections = 300
fsync = on
synchronous_commit = on
deadlock_timeout = 200ms
log_min_messages = warning
CONF
  # Nobody can reserve a port for another process, so: take one, try, take another.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then continue; fi
    if as_owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -o "-p $port" -w -t 60 start >/dev/null 2>&1; then
      echo "postgres://postgres@127.0.0.1:$port"
      return 0
    fi
  done
  say "the cluster did not start:"
  tail -n 20 "$dir/log" >&2 || true
  stop
  exit 1
}

stop() {
  if [ ! -f "$dir/data/PG_VERSION" ]; then say "$dir holds no cluster"; return 0; fi
  if [ -f "$dir/data/postmaster.pid" ]; then
    as_owner "$bin/pg_ctl" -D "$dir/data" -m immediate -w -t 60 stop >/dev/null 2>&1 || say "it had stopped before"
  fi
  rm -rf "$dir"
}

case $1 in
  start) start ;;
  stop) stop ;;
  guard)
    trap '' INT TERM HUP
    cat >/dev/null
    stop
    ;;
  *) usage ;;
esac
