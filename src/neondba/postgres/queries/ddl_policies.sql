-- Postgres 15+; privileges: any role that can connect.
select 'pg_policy'::regclass::oid as classid, p.oid as objid, 0 as objsubid,
       format('%I.%I.%I', n.nspname, c.relname, p.polname) as name,
       format('%I.%I', n.nspname, c.relname) as table,
       format('%I', p.polname) as part,
       p.polpermissive as permissive,
       case p.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE'
                     when 'd' then 'DELETE' else 'ALL' end as command,
       (select array_agg(case r when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(r)) end order by r <> 0, pg_get_userbyid(r))
        from unnest(p.polroles) r) as roles,
       pg_get_expr(p.polqual, p.polrelid) as using,
       pg_get_expr(p.polwithcheck, p.polrelid) as check
from pg_policy p
join pg_class c on c.oid = p.polrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
