-- The foreign keys that lead from or to masked columns, given as `schema.table.column` texts in JSON arrays.
with ends as (
    select
        k.oid, k.conname, side.here, rel.oid::regclass as rel, n.nspname, rel.relname, at.place, a.attname
    from pg_constraint k
    cross join lateral (values (true, k.conrelid, k.conkey), (false, k.confrelid, k.confkey)) as side (here, rel, keys)
    cross join lateral unnest(side.keys) with ordinality as at (number, place)
    join pg_class rel on rel.oid = side.rel
    join pg_namespace n on n.oid = rel.relnamespace
    join pg_attribute a on a.attrelid = side.rel and a.attnum = at.number
    where k.contype = 'f' and k.conparentid = 0 and k.convalidated
)
select
    max(conname),
    json_agg(json_build_array(nspname, relname, attname) order by place) filter (where here),
    json_agg(json_build_array(nspname, relname, attname) order by place) filter (where not here)
from ends
group by oid
having bool_or(json_build_array(nspname, relname, attname)::text = any (%s))
order by oid
