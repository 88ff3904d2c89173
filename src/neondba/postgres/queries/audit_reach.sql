-- Postgres 14+; privileges: any role that can connect. Which role has another's rights, may act as it, or hand it out.
with recursive edges as (
    -- Before 16 inheriting was a matter of the member, and setting the role was always allowed.
    select m.member, m.roleid,
           coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, r.rolinherit) as uses,
           coalesce((to_jsonb(m) ->> 'set_option')::boolean, true) as sets,
           m.admin_option as grants
    from pg_auth_members m
    join pg_roles r on r.oid = m.member
), walk as (
    select e.member as start, e.roleid as target, e.uses, e.sets, e.grants, array[e.member, e.roleid] as path
    from edges e
    union all
    select w.start, e.roleid, w.uses and e.uses, w.sets and e.sets, e.grants, w.path || e.roleid
    from walk w
    join edges e on e.member = w.target
    where not e.roleid = any (w.path) and cardinality(w.path) < 20
), shortest as (
    select distinct on (start, target) start, target, path
    from walk
    order by start, target, (uses or sets) desc, cardinality(path), path
)
select pg_get_userbyid(s.start)::text as role,
       pg_get_userbyid(s.target)::text as target,
       pg_has_role(s.start, s.target, 'usage') as uses,
       case when current_setting('server_version_num')::int >= 160000 then pg_has_role(s.start, s.target, 'set')
            else pg_has_role(s.start, s.target, 'member') end as sets,
       pg_has_role(s.start, s.target, 'member with admin option') as grants,
       array(select pg_get_userbyid(p.oid)::text from unnest(s.path) with ordinality p (oid, n) order by p.n) as path
from shortest s
join pg_roles r on r.oid = s.start
where not r.rolsuper and r.rolname !~ '^pg_'
order by 1, 2
