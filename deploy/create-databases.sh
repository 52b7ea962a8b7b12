#!/bin/sh
# Two roles, three databases: the engine's role cannot connect to the records, nor the records' role to the engine.
# The PostgreSQL image runs this once, on an empty volume. Run by hand again, it gives both roles the passwords now in the environment.
set -eu
: "${TEMPORAL_DB_PASSWORD:?}" "${RECORDS_DB_PASSWORD:?}"

# \getenv keeps the passwords off the command line, where every process could read them.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv temporal_password TEMPORAL_DB_PASSWORD
\getenv records_password RECORDS_DB_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', wanted) FROM unnest(ARRAY['temporal', 'evenhand']) wanted
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) \gexec

ALTER ROLE temporal PASSWORD :'temporal_password';
ALTER ROLE evenhand PASSWORD :'records_password';

SELECT format('CREATE DATABASE %I OWNER %I ENCODING ''UTF8'' TEMPLATE template0', wanted, owner)
FROM (VALUES ('temporal', 'temporal'), ('temporal_visibility', 'temporal'), ('evenhand', 'evenhand')) AS needed(wanted, owner)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = wanted) \gexec

REVOKE ALL ON DATABASE temporal, temporal_visibility, evenhand FROM PUBLIC;
SQL
