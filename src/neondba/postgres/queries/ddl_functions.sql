-- Postgres 15+; privileges: any role that can connect.
select 'pg_proc'::regclass::oid as classid, p.oid as objid, 0 as objsubid,
       format('%I.%I(%s)', n.nspname, p.proname,
              (select string_agg(format_type(a.type, null), ', ' order by a.place)
               from unnest(p.proargtypes) with ordinality a (type, place))) as name,
       pg_get_userbyid(p.proowner) as owner,
       case p.prokind when 'f' then 'FUNCTION' when 'p' then 'PROCEDURE'
                      when 'a' then 'AGGREGATE' else 'WINDOW FUNCTION' end as type,
       format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as signature,
       pg_get_function_arguments(p.oid) as arguments,
       pg_get_function_result(p.oid) as result,
       case when p.prokind <> 'a' then pg_get_functiondef(p.oid)
            else (select concat_ws(', ',
                     format('SFUNC = %s', a.aggtransfn), format('STYPE = %s', format_type(a.aggtranstype, null)),
                     case when a.aggtransspace <> 0 then format('SSPACE = %s', a.aggtransspace) end,
                     case when a.aggfinalfn <> 0 then format('FINALFUNC = %s', a.aggfinalfn) end,
                     case when a.aggfinalextra then 'FINALFUNC_EXTRA' end,
                     case when a.aggcombinefn <> 0 then format('COMBINEFUNC = %s', a.aggcombinefn) end,
                     case when a.aggserialfn <> 0 then format('SERIALFUNC = %s', a.aggserialfn) end,
                     case when a.aggdeserialfn <> 0 then format('DESERIALFUNC = %s', a.aggdeserialfn) end,
                     case when a.agginitval is not null then format('INITCOND = %L', a.agginitval) end,
                     case p.proparallel when 's' then 'PARALLEL = SAFE' when 'r' then 'PARALLEL = RESTRICTED' end)
                  from pg_aggregate a where a.aggfnoid = p.oid)
       end as definition
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend x
                  where x.classid = 'pg_proc'::regclass and x.objid = p.oid and x.deptype in ('e', 'i'))
