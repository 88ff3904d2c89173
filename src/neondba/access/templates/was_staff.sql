create or replace function @FUNCTION@(wanted @TYPE@) returns boolean
    language sql stable security definer set search_path = ''
    as $$
        select coalesce((select person.@STAFF@ from @PEOPLE@ as person where person.@KEY@ = wanted), false)
    $$
