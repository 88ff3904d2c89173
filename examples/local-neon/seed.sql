-- What a developer's project starts with: neondba local seed shop --dump examples/local-neon/seed.sql
create table product (
  id bigint generated always as identity primary key,
  name text not null unique,
  cents integer not null check (cents >= 0)
);
copy product (name, cents) from stdin;
Kettle	3490
Teapot	2250
\.
