-- Postgres 14+; privileges: any role that can connect. Who was granted what on which object; '' is PUBLIC.
with objects as (
    select 'database' as kind, quote_ident(d.datname) as name, d.datdba as owner, d.datacl is null as standard,
           coalesce(d.datacl, acldefault('d', d.datdba)) as acl
    from pg_database d
    where d.datname = current_database()
    union all
    select 'schema', quote_ident(n.nspname), n.nspowner, n.nspacl is null, coalesce(n.nspacl, acldefault('n', n.nspowner))
    from pg_namespace n
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    union all
    select case c.relkind when 'S' then 'sequence' else 'table' end, format('%I.%I', n.nspname, c.relname), c.relowner,
           c.relacl is null,
           coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and c.relpersistence <> 't'
      and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and not exists (select from pg_depend x
                      where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
    union all
    select 'column', format('%I.%I.%I', n.nspname, c.relname, a.attname), c.relowner, false, a.attacl
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    where a.attacl is not null and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    union all
    select 'function', format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), p.proowner,
           p.proacl is null, coalesce(p.proacl, acldefault('f', p.proowner))
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and not exists (select from pg_depend x
                      where x.classid = 'pg_proc'::regclass and x.objid = p.oid and x.deptype = 'e')
)
select o.kind,
       o.name,
       pg_get_userbyid(o.owner)::text as owner,
       o.standard,
       case e.grantee when 0 then '' else pg_get_userbyid(e.grantee)::text end as grantee,
       lower(e.privilege_type) as privilege,
       e.is_grantable as grantable
from objects o
cross join aclexplode(o.acl) e
where e.grantee <> o.owner
order by 1, 2, 5, 6
