-- Postgres 14+; privileges: any role that can connect. Constraints; those of partitions are their parents'.
select format('%I.%I', n.nspname, c.relname) as relation,
       n.nspname::text as schema,
       k.conname::text as name,
       case k.contype when 'f' then 'foreign key' when 'c' then 'check' when 'n' then 'not null'
                      when 'p' then 'primary key' when 'u' then 'unique' else 'exclusion' end as kind,
       k.convalidated as validated,
       coalesce((to_jsonb(k) ->> 'conenforced')::bool, true) as enforced,
       array(select quote_ident(a.attname) from unnest(k.conkey) with ordinality u(num, place)
             join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.num
             order by u.place) as columns,
       array(select format_type(a.atttypid, null) from unnest(k.conkey) with ordinality u(num, place)
             join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.num
             order by u.place) as types,
       case when k.confrelid <> 0 then (select format('%I.%I', rn.nspname, rc.relname) from pg_class rc
             join pg_namespace rn on rn.oid = rc.relnamespace where rc.oid = k.confrelid) end as target,
       array(select quote_ident(a.attname) from unnest(k.confkey) with ordinality u(num, place)
             join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.num
             order by u.place) as target_columns,
       array(select format_type(a.atttypid, null) from unnest(k.confkey) with ordinality u(num, place)
             join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.num
             order by u.place) as target_types,
       coalesce((select i.indisprimary from pg_index i where i.indexrelid = k.conindid), false)
           as targets_key,
       k.confupdtype = 'c' as follows_updates,
       pg_get_constraintdef(k.oid) as definition
from pg_constraint k
join pg_class c on c.oid = k.conrelid
join pg_namespace n on n.oid = c.relnamespace
where k.conparentid = 0 and c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
order by 1, k.oid
