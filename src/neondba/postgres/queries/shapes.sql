-- Postgres 14+; privileges: any role that can connect. What has to be known of a table to insert a row.
select format('%I.%I', n.nspname, c.relname) as name,
       c.oid,
       c.relkind::text as kind,
       (select json_agg(json_build_object(
                   'name', a.attname,
                   'type', format_type(a.atttypid, a.atttypmod),
                   'base', b.typname,
                   'element', e.typname,
                   'category', b.typcategory,
                   'length', case when b.typname in ('varchar', 'bpchar', 'bit', 'varbit')
                                  then greatest(a.atttypmod, t.typtypmod) - case when b.typname in ('varchar', 'bpchar') then 4 else 0 end
                                  when b.typname in ('numeric', 'vector')
                                  then greatest(a.atttypmod, t.typtypmod) end,
                   'not_null', a.attnotnull or t.typnotnull,
                   'generated', a.attgenerated <> '' or a.attidentity <> '',
                   'default', pg_get_expr(d.adbin, d.adrelid),
                   'labels', (select json_agg(l.enumlabel order by l.enumsortorder) from pg_enum l where l.enumtypid = b.oid),
                   'domain_checks', (select json_agg(pg_get_constraintdef(k.oid)) from pg_constraint k where k.contypid = t.oid)
               ) order by a.attnum)
        from pg_attribute a
        join pg_type t on t.oid = a.atttypid
        join pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
        left join pg_type e on e.oid = b.typelem and b.typcategory = 'A'
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
       (select json_agg(json_build_object(
                   'name', k.conname, 'kind', k.contype, 'definition', pg_get_constraintdef(k.oid),
                   'columns', (select json_agg(a.attname order by u.position)
                               from unnest(k.conkey) with ordinality u(number, position)
                               join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number),
                   'target', (select format('%I.%I', fn.nspname, f.relname)
                              from pg_class f join pg_namespace fn on fn.oid = f.relnamespace
                              where f.oid = k.confrelid),
                   'target_columns', (select json_agg(a.attname order by u.position)
                                      from unnest(k.confkey) with ordinality u(number, position)
                                      join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.number)))
        from pg_constraint k
        where k.conrelid = c.oid and k.contype in ('c', 'f', 'p', 'u')) as constraints,
       (select json_agg(pg_get_expr(p.relpartbound, p.oid))
        from pg_inherits i join pg_class p on p.oid = i.inhrelid
        where i.inhparent = c.oid and p.relispartition) as bounds
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_class'::regclass and x.objid = c.oid and x.deptype = 'e')
order by 1
