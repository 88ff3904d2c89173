-- Masking functions under the names that users of PostgreSQL Anonymizer write; the bodies and words are ours.
-- They live in a transaction: made, used, dropped. `anon.salt` is set there, so that equal values stay equal.
create schema anon;

-- Whatever the user's triggers, casts and columns call runs in these two, never as the superuser: `set role`
-- could be reset there, the owner of a function cannot. What is deferred to the commit would run outside.
create function anon._run(statement text) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
    execute statement;
    set constraints all immediate;
end $$;

create function anon._finds(query text) returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
declare found boolean;
begin
    execute format('select exists (%s)', query) into found;
    return found;
end $$;

alter function anon._run owner to neon_superuser;
alter function anon._finds owner to neon_superuser;

create function anon._words(kind text) returns text[] language sql immutable as $$
select string_to_array(case kind
    when 'first name' then
        'Ada Ben Carla Dario Elin Farid Greta Hugo Ines Jonas Kaya Leo Mira Nils Olga Pavel Quinn Rosa Samir '
        'Tilda Ugo Vera Wim Xenia Yann Zora Amos Bela Cyra Dina Emil Fay'
    when 'last name' then
        'Abbot Baker Carver Dyer Eastman Fuller Glover Harper Ironside Joiner Keeler Lister Mason Naylor Ostler '
        'Porter Quarrier Reeve Sawyer Tanner Underhill Vintner Weaver Yeoman Archer Brewer Cooper Draper'
    when 'city' then
        'Alderport Birchham Coldwater Dunmere Elmford Fairhaven Glenbrook Hazelton Ivybridge Juniperfield '
        'Kestrelby Larchmont Mapleton Northwick Oakhurst Pinecrest Quarryville Ravenside Stonebridge Thornbury'
    when 'country' then
        'Argentina Belgium Canada Denmark Estonia Finland Ghana Hungary Iceland Japan Kenya Latvia Morocco '
        'Norway Oman Peru Qatar Romania Spain Tunisia Uruguay Vietnam Zambia'
    when 'country code' then 'AR BE CA DK EE FI GH HU IS JP KE LV MA NO OM PE QA RO ES TN UY VN ZM'
    when 'street' then 'Mill Station Church Garden River Orchard Harbor Market Meadow Bridge Forest School'
    when 'street suffix' then 'Street Road Lane Avenue Way Close Square'
    when 'company' then 'Anvil Beacon Compass Delta Ember Falcon Granite Harbor Indigo Juniper Kiln Lantern Meridian'
    when 'company suffix' then 'Ltd Inc GmbH AG LLC Group'
    when 'state' then 'Alabama Colorado Delaware Florida Georgia Hawaii Idaho Kansas Maine Nevada Ohio Texas Utah'
    when 'state code' then 'AL CO DE FL GA HI ID KS ME NV OH TX UT'
    when 'profession' then 'baker carpenter doctor electrician farmer gardener nurse painter plumber teacher tailor'
    when 'industry' then 'Agriculture Construction Education Energy Finance Forestry Logistics Mining Retail Tourism'
    when 'title' then 'Mr Ms Mx Dr'
    when 'color' then 'amber azure black blue brown coral cyan gold gray green indigo orange pink red violet white'
    when 'currency code' then 'ARS CAD CHF DKK EUR GBP HUF ISK JPY KES NOK PEN RON TND USD'
    when 'currency' then 'Dinar Dollar Euro Franc Krone Leu Peso Pound Shilling Sol Yen'
    when 'mail host' then 'example.com example.net example.org'
    when 'domain suffix' then 'com net org io dev'
    when 'file extension' then 'csv docx jpg json md pdf png txt xlsx'
    when 'timezone' then 'Africa/Nairobi America/Lima Asia/Tokyo Europe/Oslo Europe/Rome Pacific/Auckland UTC'
    else
        'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et '
        'dolore magna aliqua enim minim veniam quis nostrud exercitation ullamco laboris nisi aliquip ex ea'
    end, ' ')
$$;

-- A function for each kind, with its words as a constant: masking calls them for every row.
do $make$
declare kind text;
begin
    foreach kind in array array[
        'first name', 'last name', 'city', 'country', 'country code', 'street', 'street suffix', 'company',
        'company suffix', 'state', 'state code', 'profession', 'industry', 'title', 'color', 'currency code',
        'currency', 'mail host', 'domain suffix', 'file extension', 'timezone', 'lorem'
    ] loop
        execute format(
            'create function anon.%I() returns text language plpgsql volatile as %L',
            '_' || replace(kind, ' ', '_'),
            format(
                'declare words constant text[] := %L; begin return words[1 + floor(random() * %s)::int]; end',
                anon._words(kind), cardinality(anon._words(kind))
            )
        );
    end loop;
end $make$;

create function anon._digits(length int) returns text language plpgsql volatile as $$
begin
    if length > 15 then
        return anon._digits(15) || anon._digits(length - 15);
    end if;
    return lpad(floor(random() * 10 ^ length)::bigint::text, length, '0');
end $$;

create function anon._hex(length int) returns text language plpgsql volatile as $$
begin return left(md5(gen_random_uuid()::text), length); end $$;

create function anon._salt(given text) returns text language sql stable as $$
select coalesce(given, current_setting('anon.salt', true), '')
$$;

create function anon._number(seed text, salt text, below int) returns int language sql stable as $$
select ((('x' || left(encode(sha256(convert_to(anon._salt(salt) || seed, 'UTF8')), 'hex'), 15))::bit(60)::bigint)
    % below)::int
$$;

create function anon._seeded(kind text, seed text, salt text) returns text language plpgsql stable as $$
declare words text[] := anon._words(kind);
begin return words[1 + anon._number(kind || seed, salt, cardinality(words))]; end $$;

-- Random values

create function anon.random_string(l int) returns text language sql volatile as $$
select string_agg(substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', 1 + floor(random() * 36)::int, 1), '')
from generate_series(1, l)
$$;
create function anon.random_zip() returns text language plpgsql volatile as $$
begin return anon._digits(5); end $$;
create function anon.random_phone(phone_prefix text default '0') returns text language plpgsql volatile as $$
begin return phone_prefix || anon._digits(9); end $$;
create function anon.random_hash(seed text) returns text language plpgsql volatile as $$
begin return encode(sha256(convert_to(seed || anon._hex(32), 'UTF8')), 'hex'); end $$;
create function anon.random_int_between(int_start int, int_stop int) returns int language sql volatile as $$
select (int_start + floor(random() * (int_stop::bigint - int_start + 1)))::int
$$;
create function anon.random_bigint_between(int_start bigint, int_stop bigint) returns bigint language sql volatile
as $$ select (int_start + floor(random()::numeric * (int_stop::numeric - int_start + 1)))::bigint $$;
create function anon.random_id() returns bigint language sql volatile as $$
select anon.random_bigint_between(1, 9223372036854775807)
$$;
create function anon.random_id_int() returns int language sql volatile as $$
select anon.random_int_between(1, 2147483647)
$$;
create function anon.random_id_smallint() returns smallint language sql volatile as $$
select anon.random_int_between(1, 32767)::smallint
$$;
create function anon.random_date_between(date_start timestamptz, date_end timestamptz) returns timestamptz
language sql volatile as $$ select date_start + random() * (date_end - date_start) $$;
create function anon.random_date() returns timestamptz language sql volatile as $$
select anon.random_date_between('1900-01-01', now())
$$;
create function anon.random_in(a anyarray) returns anyelement language plpgsql volatile as $$
begin return a[array_lower(a, 1) + floor(random() * cardinality(a))::int]; end $$;
create function anon.random_in_enum(element anyenum) returns anyenum language plpgsql volatile as $$
begin return anon.random_in(enum_range(element)); end $$;
create function anon.random_in_int4range(r int4range) returns int language sql volatile as $$
select anon.random_int_between(lower(r), upper(r) - 1)
$$;
create function anon.random_in_int8range(r int8range) returns bigint language sql volatile as $$
select anon.random_bigint_between(lower(r), upper(r) - 1)
$$;
create function anon.random_in_numrange(r numrange) returns numeric language sql volatile as $$
select lower(r) + random()::numeric * (upper(r) - lower(r))
$$;
create function anon.random_in_daterange(r daterange) returns date language sql volatile as $$
select lower(r) + floor(random() * (upper(r) - lower(r)))::int
$$;
create function anon.random_in_tsrange(r tsrange) returns timestamp language sql volatile as $$
select lower(r) + random() * (upper(r) - lower(r))
$$;
create function anon.random_in_tstzrange(r tstzrange) returns timestamptz language sql volatile as $$
select lower(r) + random() * (upper(r) - lower(r))
$$;

-- Noise around the value that was there

create function anon.noise(noise_value anyelement, ratio double precision) returns anyelement
language plpgsql volatile strict as $$
declare result noise_value%type;
begin
    result := noise_value::numeric * (1 - ratio + 2 * ratio * random())::numeric;
    return result;
end $$;
create function anon.dnoise(noise_value anyelement, noise_range interval) returns anyelement
language plpgsql volatile strict as $$
declare result noise_value%type;
begin
    result := noise_value + (2 * random() - 1) * noise_range;
    return result;
end $$;

-- Parts, hashes and steps of the value that was there

create function anon.partial(ov text, prefix int, padding text, suffix int) returns text
language sql immutable strict as $$
select left(ov, prefix) || padding || right(ov, suffix)
$$;
create function anon.partial_email(ov text) returns text language sql immutable strict as $$
select left(ov, 2) || '******@' || left(split_part(ov, '@', 2), 2) || '******.'
    || reverse(split_part(reverse(ov), '.', 1))
$$;
create function anon.digest(seed text, salt text, algorithm text) returns text language plpgsql immutable strict as $$
declare content bytea := convert_to(salt || seed, 'UTF8');
begin
    return case lower(algorithm)
        when 'md5' then md5(content)
        when 'sha224' then encode(sha224(content), 'hex')
        when 'sha256' then encode(sha256(content), 'hex')
        when 'sha384' then encode(sha384(content), 'hex')
        when 'sha512' then encode(sha512(content), 'hex')
    end;
end $$;
create function anon.hash(seed text) returns text language sql stable strict as $$
select anon.digest(seed, anon._salt(null), 'sha256')
$$;
create function anon.generalize_int4range(val int, step int default 10) returns int4range
language sql immutable strict as $$
select int4range(floor(val::numeric / step)::int * step, (floor(val::numeric / step)::int + 1) * step)
$$;
create function anon.generalize_int8range(val bigint, step bigint default 10) returns int8range
language sql immutable strict as $$
select int8range(floor(val::numeric / step)::bigint * step, (floor(val::numeric / step)::bigint + 1) * step)
$$;
create function anon.generalize_numrange(val numeric, step int default 10) returns numrange
language sql immutable strict as $$
select numrange(floor(val / step) * step, (floor(val / step) + 1) * step)
$$;
create function anon.generalize_daterange(val date, step text default 'decade') returns daterange
language sql immutable strict as $$
select daterange(date_trunc(step, val::timestamp)::date, (date_trunc(step, val::timestamp)
    + case step when 'decade' then interval '10 years' when 'century' then interval '100 years'
      when 'quarter' then interval '3 months' else ('1 ' || step)::interval end)::date)
$$;

-- The same invented value for the same seed

create function anon.pseudo_first_name(seed anyelement, salt text default null) returns text language sql stable
as $$ select anon._seeded('first name', seed::text, salt) $$;
create function anon.pseudo_last_name(seed anyelement, salt text default null) returns text language sql stable
as $$ select anon._seeded('last name', seed::text, salt) $$;
create function anon.pseudo_city(seed anyelement, salt text default null) returns text language sql stable
as $$ select anon._seeded('city', seed::text, salt) $$;
create function anon.pseudo_country(seed anyelement, salt text default null) returns text language sql stable
as $$ select anon._seeded('country', seed::text, salt) $$;
create function anon.pseudo_company(seed anyelement, salt text default null) returns text language sql stable
as $$ select anon._seeded('company', seed::text, salt) || ' ' || anon._seeded('company suffix', seed::text, salt) $$;
create function anon.pseudo_email(seed anyelement, salt text default null) returns text language sql stable as $$
select lower(anon._seeded('first name', seed::text, salt) || '.' || anon._seeded('last name', seed::text, salt))
    || '.' || left(anon.digest(seed::text, anon._salt(salt), 'sha256'), 10) || '@'
    || anon._seeded('mail host', seed::text, salt)
$$;
create function anon.pseudo_iban(seed anyelement, salt text default null) returns text language sql stable as $$
select 'ZZ' || lpad(anon._number('a' || seed::text, salt, 100)::text, 2, '0')
    || lpad(anon._number('b' || seed::text, salt, 100000000)::text, 8, '0')
    || lpad(anon._number('c' || seed::text, salt, 100000000)::text, 8, '0')
$$;
create function anon.pseudo_siret(seed anyelement, salt text default null) returns text language sql stable as $$
select lpad(anon._number('a' || seed::text, salt, 10000000)::text, 7, '0')
    || lpad(anon._number('b' || seed::text, salt, 10000000)::text, 7, '0')
$$;
