-- Postgres 14+; privileges: any role that can connect. Policies with the table they stand on.
select format('%I.%I', n.nspname, c.relname) as relation,
       n.nspname::text as schema,
       p.polname::text as name,
       c.relrowsecurity as applies,
       p.polpermissive as permissive,
       case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                     when 'd' then 'delete' else 'all' end as command,
       array(select case r when 0 then 'public' else pg_get_userbyid(r)::text end
             from unnest(p.polroles) r order by 1) as roles,
       pg_get_expr(p.polqual, p.polrelid) as condition,
       pg_get_expr(p.polwithcheck, p.polrelid) as check
from pg_policy p
join pg_class c on c.oid = p.polrelid
join pg_namespace n on n.oid = c.relnamespace
order by 1, p.oid
