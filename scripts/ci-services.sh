#!/usr/bin/env bash
# Chromium, and MariaDB on 127.0.0.1:3306 (root, empty password) and Redis on 127.0.0.1:6379: what answers is taken as it is, what does not
# is installed from Debian's packages and started without systemd. For CI machines: it opens MariaDB's root account.
set -euo pipefail

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

wait_for() {
  for _ in $(seq 120); do
    if "${@:2}" 2>/dev/null >&2; then return 0; fi
    sleep 0.5
  done
  echo "$1 does not answer" >&2
  return 1
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

updated=''
install_package() {
  if [ -z "$updated" ]; then as_root apt-get update -qq; fi
  updated=yes
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1"
}

if ! listening 6379; then
  command -v redis-server >/dev/null || install_package redis-server
  # The package may have started it.
  listening 6379 || redis-server --daemonize yes --bind 127.0.0.1 --port 6379 --save '' --appendonly no >/dev/null
  wait_for Redis listening 6379
fi

root_logs_in() { mariadb --protocol=tcp -h 127.0.0.1 -P 3306 -u root -e 'SELECT 1'; }

if ! listening 3306; then
  [ -x /usr/sbin/mariadbd ] || install_package mariadb-server
  if ! listening 3306; then
    as_root install -d -o mysql -g mysql /run/mysqld
    if [ ! -d /var/lib/mysql/mysql ]; then as_root mariadb-install-db --user=mysql >/dev/null; fi
    as_root start-stop-daemon --start --oknodo --background --exec /usr/sbin/mariadbd -- --user=mysql
  fi
  wait_for MariaDB listening 3306
  # A fresh install lets root in through the socket only.
  if ! root_logs_in >/dev/null 2>&1; then
    as_root mariadb -e "
      ALTER USER root@localhost IDENTIFIED VIA mysql_native_password USING PASSWORD('');
      CREATE USER IF NOT EXISTS root@127.0.0.1 IDENTIFIED VIA mysql_native_password USING PASSWORD('');
      GRANT ALL ON *.* TO root@127.0.0.1 WITH GRANT OPTION;"
    root_logs_in >/dev/null
  fi
fi
# The dashboard's tests run in Debian's Chromium; without a font Chinese would be boxes.
if ! [ -x /usr/bin/chromium ]; then
  install_package chromium
  install_package fonts-wqy-zenhei
fi
echo 'MariaDB and Redis answer, Chromium is there'
