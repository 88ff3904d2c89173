-- Postgres 14+; privileges: any role that can connect. What an owner has by default counts as granted.
with granted as (
    select format('%s %I.%I', case c.relkind when 'S' then 'sequence' when 'v' then 'view'
                                             when 'm' then 'materialized view' else 'table' end,
                  n.nspname, c.relname) as object,
           coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)) as acl
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S')
      and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and not exists (select from pg_depend x
                      where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
    union all
    select format('column %I.%I.%I', n.nspname, c.relname, a.attname), a.attacl
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    where a.attacl is not null and not a.attisdropped
      and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    union all
    select format('schema %I', n.nspname), coalesce(n.nspacl, acldefault('n', n.nspowner))
    from pg_namespace n
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    union all
    select format('function %I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
           coalesce(p.proacl, acldefault('f', p.proowner))
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and not exists (select from pg_depend x
                      where x.classid = 'pg_proc'::regclass and x.objid = p.oid and x.deptype = 'e')
    union all
    select format('default privileges of %I for %s%s', pg_get_userbyid(d.defaclrole),
                  case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
                                       when 'T' then 'types' else 'schemas' end,
                  coalesce(' in ' || quote_ident(n.nspname), '')),
           d.defaclacl
    from pg_default_acl d
    left join pg_namespace n on n.oid = d.defaclnamespace
)
select format('%s to %s', g.object,
              case e.grantee when 0 then 'public' else pg_get_userbyid(e.grantee)::text end) as name,
       string_agg(lower(e.privilege_type) || case when e.is_grantable then ' with grant option' else '' end,
                  ', ' order by e.privilege_type) as privileges
from granted g
cross join lateral aclexplode(g.acl) e
group by g.object, e.grantee
