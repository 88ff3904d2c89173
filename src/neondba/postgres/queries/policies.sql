-- Postgres 14+; privileges: any role that can connect.
select format('%I.%I.%I', n.nspname, c.relname, p.polname) as name,
       case when p.polpermissive then 'permissive' else 'restrictive' end as kind,
       case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                     when 'd' then 'delete' else 'all' end as command,
       (select string_agg(case r when 0 then 'public' else pg_get_userbyid(r)::text end, ', ' order by r)
        from unnest(p.polroles) r) as roles,
       pg_get_expr(p.polqual, p.polrelid) as using,
       pg_get_expr(p.polwithcheck, p.polrelid) as with_check
from pg_policy p
join pg_class c on c.oid = p.polrelid
join pg_namespace n on n.oid = c.relnamespace
