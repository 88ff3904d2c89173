-- What the cases meet: two tables with a thousand rows each, and one of each thing that can be changed.
create table owner (id int primary key, name text);
create table item (
    id int not null, owner_id int not null, name varchar(20), label varchar(20), note text,
    price numeric(10, 2), at timestamp, constraint name_known check (name is not null)
);
create unique index item_id on item (id);
create index item_name on item (name);
create table empty (id int not null);
create table part (id int not null, at date) partition by range (at);
create table part_2026 partition of part for values from ('2026-01-01') to ('2027-01-01');
create index part_2026_id on part_2026 (id);
create table part_2027 (id int not null, at date);
create table part_2028 (id int not null, at date not null,
    constraint part_2028_at check (at >= '2028-01-01' and at < '2029-01-01'));
create type state as enum ('open');
create materialized view seen as select id, note from item;
create unique index seen_id on seen (id);
create sequence numbers;
insert into owner select n, 'o' from generate_series(1, 1000) n;
insert into item select n, n, 'n', 'l', 'x', 1, '2026-01-01' from generate_series(1, 1000) n;
insert into part select n, '2026-05-05' from generate_series(1, 1000) n;
insert into part_2027 select n, '2027-05-05' from generate_series(1, 1000) n;
insert into part_2028 select n, '2028-05-05' from generate_series(1, 1000) n;
refresh materialized view seen;
alter table item add constraint old_fk foreign key (owner_id) references owner not valid;
alter table item add constraint old_check check (id > 0) not valid;
create policy everyone on item using (true);
create function same() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger old_trigger before insert on item for each row execute function same();
create view items as select id, note from item;

create table secret (id int, who text);
insert into secret values (1, 'nobody');
create view shown as select * from secret;
create view shown_as_caller with (security_invoker) as select * from secret;
grant usage on schema public to public;
grant all on secret, shown, shown_as_caller to public;
alter table secret owner to holder;
alter table secret enable row level security;
create policy mine on secret using (who = current_user);
alter view shown owner to passer;
analyze;
