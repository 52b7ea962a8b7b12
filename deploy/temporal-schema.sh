#!/bin/sh
# Brings the engine's two databases to the tables of this admin-tools image. Safe to run again; run it before a newer server starts.
set -eu
: "${SQL_HOST:?}" "${SQL_USER:?}" "${SQL_PASSWORD:?}"

tables_of() {
  tool="temporal-sql-tool --plugin postgres12 --ep $SQL_HOST -p ${SQL_PORT:-5432} -u $SQL_USER --db $1"
  $tool setup-schema -v 0.0
  $tool update-schema -d "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

tables_of temporal temporal
tables_of temporal_visibility visibility
