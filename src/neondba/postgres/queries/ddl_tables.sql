-- Postgres 15+; privileges: any role that can connect.
select 'pg_class'::regclass::oid as classid, c.oid as objid, 0 as objsubid,
       format('%I.%I', n.nspname, c.relname) as name,
       pg_get_userbyid(c.relowner) as owner,
       c.relpersistence = 'u' as unlogged,
       pg_get_partkeydef(c.oid) as partition_by,
       (select format('%I.%I', pn.nspname, p.relname)
        from pg_inherits i join pg_class p on p.oid = i.inhparent join pg_namespace pn on pn.oid = p.relnamespace
        where i.inhrelid = c.oid and c.relispartition) as partition_of,
       pg_get_expr(c.relpartbound, c.oid) as bound,
       (select coalesce(array_agg(format('%I.%I', pn.nspname, p.relname) order by i.inhseqno), '{}')
        from pg_inherits i join pg_class p on p.oid = i.inhparent join pg_namespace pn on pn.oid = p.relnamespace
        where i.inhrelid = c.oid and not c.relispartition) as inherits,
       (select coalesce(array_agg(o order by o), '{}') from unnest(c.reloptions) o) as options,
       case c.relreplident
            when 'f' then 'FULL' when 'n' then 'NOTHING'
            when 'i' then (select 'USING INDEX ' || quote_ident(ic.relname)
                           from pg_index i join pg_class ic on ic.oid = i.indexrelid
                           where i.indrelid = c.oid and i.indisreplident)
       end as replica_identity,
       c.relrowsecurity as row_security,
       c.relforcerowsecurity as force_row_security,
       nullif((select am.amname from pg_am am where am.oid = c.relam)::text, 'heap') as access_method
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
