-- Postgres 14+; privileges: any role that can connect.
select format('%I.%I', n.nspname, c.relname) as name,
       case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' else 'foreign table' end as kind,
       case c.relpersistence when 'p' then 'permanent' when 'u' then 'unlogged' else 'temporary' end as persistence,
       pg_get_userbyid(c.relowner) as owner,
       c.relrowsecurity as row_level_security,
       c.relforcerowsecurity as force_row_level_security,
       pg_get_partkeydef(c.oid) as partition_key,
       pg_get_expr(c.relpartbound, c.oid) as partition_bound,
       (select string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno)
        from pg_inherits i where i.inhrelid = c.oid) as parents,
       c.relreplident::text as replica_identity,
       array_to_string(c.reloptions, ', ') as options
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f')
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
