-- Postgres 14+; privileges: any role that can connect. Replication slots that nobody reads, and what they hold.
select s.slot_name::text as name,
       s.slot_type as kind,
       s.wal_status as status,
       pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_receive_lsn()
                            else pg_current_wal_lsn() end, s.restart_lsn)::bigint as bytes
from pg_replication_slots s
where not s.active and not s.temporary and (s.database is null or s.database = current_database())
order by 1
