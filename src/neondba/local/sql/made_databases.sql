-- The databases that the API lists: all but the ones every server has.
select datname, pg_get_userbyid(datdba)
from pg_database
where datallowconn and datname not in ('postgres', 'template0', 'template1')
order by oid
