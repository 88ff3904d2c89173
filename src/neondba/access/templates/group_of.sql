create or replace function @FUNCTION@(wanted @KEY_TYPE@) returns @TYPE@
    language sql stable security definer set search_path = ''
    as $$
        select person.@GROUP@ from @MEMBERS@ as person where person.@USER@ = wanted
    $$
