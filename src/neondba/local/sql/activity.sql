-- What keeps a compute awake, as on Neon: statements within so many seconds, open transactions,
-- subscribers of ours, subscriptions at work and a vacuum. Our own sessions do not count.
select (
  select count(*)
  from pg_stat_activity
  where pid <> pg_backend_pid()
    and usename is distinct from 'cloud_admin'
    and (
      backend_type in ('walsender', 'autovacuum worker')
      or (
        backend_type = 'client backend'
        and (state <> 'idle' or state_change > now() - make_interval(secs => %s))
      )
    )
) + (select count(*) from pg_stat_subscription where pid is not null)
