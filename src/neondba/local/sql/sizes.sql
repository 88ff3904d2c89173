-- Where the write-ahead log stands, in bytes, and how large all databases are together.
select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint, sum(pg_database_size(oid))::bigint from pg_database;
