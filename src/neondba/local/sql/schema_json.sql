-- The tables of a database with their columns and keys, as one JSON array.
with tables as (
    select c.oid, n.nspname, c.relname
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
),
keys as (
    select
        k.conrelid, k.conname, k.confrelid,
        case k.contype when 'p' then 'primary_key' when 'u' then 'unique' else 'foreign_key' end as type,
        (select json_agg(a.attname order by at.place)
         from unnest(k.conkey) with ordinality as at (number, place)
         join pg_attribute a on a.attrelid = k.conrelid and a.attnum = at.number) as columns,
        (select json_agg(a.attname order by at.place)
         from unnest(k.confkey) with ordinality as at (number, place)
         join pg_attribute a on a.attrelid = k.confrelid and a.attnum = at.number) as referenced
    from pg_constraint k
    where k.contype in ('p', 'u', 'f') and k.conrelid <> 0
)
select coalesce(json_agg(json_build_object(
    'schema', t.nspname,
    'name', t.relname,
    'columns', (
        select coalesce(json_agg(json_build_object(
            'name', a.attname,
            'type', format_type(a.atttypid, a.atttypmod),
            'nullable', not a.attnotnull,
            'generated', a.attgenerated <> ''
        ) order by a.attnum), '[]')
        from pg_attribute a where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    ),
    'constraints', (
        select coalesce(json_agg(json_strip_nulls(json_build_object(
            'type', k.type,
            'name', k.conname,
            'columns', k.columns,
            'referenced_table', case when k.type = 'foreign_key' then json_build_object(
                'schema', rn.nspname, 'table', r.relname, 'columns', k.referenced) end
        )) order by k.type, k.conname), '[]')
        from keys k
        left join pg_class r on r.oid = k.confrelid
        left join pg_namespace rn on rn.oid = r.relnamespace
        where k.conrelid = t.oid
    )
) order by t.nspname, t.relname), '[]')
from tables t
