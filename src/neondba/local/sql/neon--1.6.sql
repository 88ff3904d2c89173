-- The names of Neon's own extension. There is no Local File Cache here: hits and misses are those of
-- shared buffers, and what nobody measures is null or zero.
create function neon_get_lfc_stats() returns setof record
language sql stable as $$
  select name, value::bigint
  from (select coalesce(sum(blks_hit), 0) as hits, coalesce(sum(blks_read), 0) as misses from pg_stat_database),
    lateral (values ('file_cache_misses', misses), ('file_cache_hits', hits), ('file_cache_used', null),
      ('file_cache_writes', null)) as figure (name, value)
$$;

create function approximate_working_set_size_seconds(duration integer default null) returns integer
language sql stable as 'select null::integer';

create function pg_cluster_size() returns bigint
language sql stable as 'select sum(pg_database_size(oid))::bigint from pg_database';

create view neon_stat_file_cache as
select misses as file_cache_misses, hits as file_cache_hits, null::bigint as file_cache_used,
  null::bigint as file_cache_writes,
  case when hits + misses = 0 then null else round(100 * hits::numeric / (hits + misses), 2) end
    as file_cache_hit_ratio
from (
  select max(lfc_value) filter (where lfc_key = 'file_cache_misses') as misses,
    max(lfc_value) filter (where lfc_key = 'file_cache_hits') as hits
  from neon_get_lfc_stats() as found (lfc_key text, lfc_value bigint)
) as figures;
grant select on neon_stat_file_cache to pg_monitor;
