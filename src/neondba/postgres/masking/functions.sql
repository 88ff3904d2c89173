-- Postgres 15+; privileges: create on the database. Only on a throw-away branch, never on one that stays.
-- The key comes as the settings neondba_mask.inner and neondba_mask.outer, so that no statement holds it.
-- Each function gives the same for the same value, another with another key, null for null and '' for ''.
create schema neondba_mask;

-- HMAC-SHA-256 of a value; the kind keeps a phone number's digest apart from that of an account number.
create function neondba_mask.digest(kind text, given text) returns bytea language sql stable parallel safe as $$
select sha256(convert_to(current_setting('neondba_mask.outer'), 'UTF8')
              || sha256(convert_to(current_setting('neondba_mask.inner') || kind || ':' || given, 'UTF8')))
$$;

-- Sixty bits of a digest.
create function neondba_mask.bits(digest bytea) returns bigint language sql immutable parallel safe as $$
select ('x' || encode(substr(digest, 1, 8), 'hex'))::bit(64)::bigint & 1152921504606846975
$$;

-- A word that nobody is called: its middle stands in no name.
create function neondba_mask.word(digest bytea, place int) returns text
language plpgsql immutable strict parallel safe as $$
declare
    ends constant bytea := 'babebibodadedidofafefifogagegigokakekikolalelilomamemimonanenino';
    turns constant bytea := 'xuqyzywyxyquzuwu';
    starts constant bytea := 'BaBeBiBoDaDeDiDoFaFeFiFoGaGeGiGoKaKeKiKoLaLeLiLoMaMeMiMoNaNeNiNo';
begin
    return convert_from(
        substr(starts, 1 + 2 * (get_byte(digest, place) & 31), 2)
        || substr(turns, 1 + 2 * (get_byte(digest, place + 1) & 7), 2)
        || substr(ends, 1 + 2 * (get_byte(digest, place + 2) & 31), 2)
        || substr(ends, 1 + 2 * (get_byte(digest, place + 3) & 31), 2), 'UTF8');
end $$;

-- Where a number goes in one keyed cycle through all of [0, size): no two meet, and none stays.
create function neondba_mask.moved(kind text, given bigint, size bigint) returns bigint
language plpgsql stable strict parallel safe as $$
declare
    side bigint := ceil(sqrt(size::numeric))::bigint;
    high bigint; low bigint; held bigint; seen bigint := given;
    key text;
begin
    if size < 2 then
        return given;
    end if;
    key := encode(neondba_mask.digest('cycle ' || kind, size::text), 'hex');
    loop
        high := seen / side; low := seen % side;
        for round in reverse 4..1 loop
            held := low; low := high;
            high := (held - ('x' || left(md5(key || round || ' ' || low), 15))::bit(60)::bigint % side + side) % side;
        end loop;
        seen := (high * side + low + 1) % (side * side);
        high := seen / side; low := seen % side;
        for round in 1..4 loop
            held := high; high := low;
            low := (held + ('x' || left(md5(key || round || ' ' || high), 15))::bit(60)::bigint) % side;
        end loop;
        seen := high * side + low;
        exit when seen < size;
    end loop;
    return seen;
end $$;

-- Characters of a digest, as many as are asked for.
create function neondba_mask.hex(digest bytea, length int) returns text
language plpgsql immutable strict parallel safe as $$
begin
    return left(repeat(encode(digest, 'hex'), (length + 63) / 64), length);
end $$;

-- Values that differ in case only stay apart, and equal where case does not count.
create function neondba_mask.cased(made text, given text) returns text
language plpgsql stable strict parallel safe as $$
declare bits bigint; found text := '';
begin
    if given = lower(given) then
        return made;
    end if;
    bits := neondba_mask.bits(neondba_mask.digest('case', given));
    for place in 1..length(made) loop
        found := found || case when place <= 59 and (bits >> place) & 1 = 1
                               then upper(substr(made, place, 1)) else substr(made, place, 1) end;
    end loop;
    return found;
end $$;

create function neondba_mask.email(given text, room int) returns text
language plpgsql stable strict parallel safe as $$
declare plain text := lower(given); own text; shared text;
begin
    if given = '' then
        return given;
    end if;
    own := encode(neondba_mask.digest('email', plain), 'hex');
    -- The shortest column of a run decides for all of them: equal addresses stay equal.
    room := least(room, current_setting('neondba_mask.room')::int);
    if room < 36 then
        return left('u' || left(own, greatest(room - 13, 3)) || '@example.com', room);
    end if;
    shared := encode(neondba_mask.digest('domain', split_part(plain, '@', 2)), 'hex');
    return neondba_mask.cased('u' || left(own, 16), given) || '@' || left(shared, 6) || '.example.com';
end $$;

-- Digits in place of digits: as many, and no two numbers become one.
create function neondba_mask.digits(kind text, given text) returns text
language plpgsql stable strict parallel safe as $$
declare count int := length(given); hashed bytea;
begin
    if count = 0 then
        return given;
    elsif count <= 18 then
        return lpad(neondba_mask.moved(kind, given::bigint, (10::numeric ^ count)::bigint)::text, count, '0');
    end if;
    hashed := neondba_mask.digest(kind, given);
    return left(repeat(lpad(neondba_mask.bits(hashed)::text, 19, '0')
                       || lpad(neondba_mask.bits(substr(hashed, 9))::text, 19, '0'), count / 38 + 1), count);
end $$;

-- Put digits where a text has digits.
create function neondba_mask.filled(shape text, digits text) returns text
language plpgsql immutable strict parallel safe as $$
declare found text := ''; sign text; place int := 1;
begin
    foreach sign in array string_to_array(shape, null) loop
        if ascii(sign) between 48 and 57 then
            found := found || substr(digits, place, 1); place := place + 1;
        else
            found := found || sign;
        end if;
    end loop;
    return found;
end $$;

-- What a sign is counted from, if it is a digit or a letter.
create function neondba_mask.base(sign int) returns int language sql immutable parallel safe as $$
select case when sign < 48 then 0 when sign <= 57 then 48 when sign < 65 then 0 when sign <= 90 then 65
            when sign < 97 then 0 when sign <= 122 then 97 else 0 end
$$;

-- Letters for letters and digits for digits; what stands between them stays.
create function neondba_mask.code(given text, kind text default 'code') returns text
language plpgsql stable strict parallel safe as $$
declare
    plain text; found text := ''; number numeric := 0; size numeric := 1;
    count int := length(given); signs bytea; base int; radix int;
begin
    if given = '' then
        return given;
    elsif given ~ '^[0-9]+$' then
        return neondba_mask.digits(kind, given);
    elsif given !~ '^[ -~]+$' or given !~ '[0-9A-Za-z]' or count > 200 then
        return neondba_mask.hex(neondba_mask.digest(kind, given), count);
    elsif given !~ '[A-Za-z]' then
        return neondba_mask.filled(given, neondba_mask.digits(kind, regexp_replace(given, '[^0-9]', '', 'g')));
    end if;
    signs := convert_to(given, 'UTF8');
    for place in 0..count - 1 loop
        base := neondba_mask.base(get_byte(signs, place));
        if base > 0 then
            radix := case when base = 48 then 10 else 26 end;
            number := number * radix + get_byte(signs, place) - base;
            size := size * radix;
        end if;
    end loop;
    if size <= 1000000000000000000 then
        number := neondba_mask.moved(kind, number::bigint, size::bigint);
    else
        plain := encode(neondba_mask.digest(kind, given), 'hex');
        number := ('x' || left(plain, 15))::bit(60)::bigint::numeric * 1152921504606846976
                  + ('x' || substr(plain, 16, 15))::bit(60)::bigint;
        -- More than the digest gives is drawn out of it: no sign is left where it was for certain.
        while number < size loop
            number := number * 1152921504606846976 + ('x' || substr(plain, 31, 15))::bit(60)::bigint;
        end loop;
        number := number % size;
    end if;
    for place in reverse count - 1..0 loop
        base := neondba_mask.base(get_byte(signs, place));
        if base = 0 then
            found := chr(get_byte(signs, place)) || found;
        else
            radix := case when base = 48 then 10 else 26 end;
            found := chr(base + (number % radix)::int) || found;
            number := div(number, radix);
        end if;
    end loop;
    return found;
end $$;

create function neondba_mask.phone(given text) returns text language plpgsql stable strict parallel safe as $$
declare plain text;
begin
    if given ~ '^[0-9]+$' then
        return neondba_mask.digits('phone', given);
    elsif given ~ '^\+[0-9]+$' then
        return '+' || neondba_mask.digits('phone', substr(given, 2));
    end if;
    plain := regexp_replace(given, '[^0-9]', '', 'g');
    if plain = '' then
        return neondba_mask.code(given);
    end if;
    return neondba_mask.filled(regexp_replace(given, '[[:alpha:]]', 'x', 'g'), neondba_mask.digits('phone', plain));
end $$;

-- A word for each word, so that a first name is the same inside a full name.
create function neondba_mask.name(given text) returns text language plpgsql stable strict parallel safe as $$
declare part text; made text; found text := '';
begin
    if position(' ' in given) = 0 then
        made := neondba_mask.word(neondba_mask.digest('name', lower(given)), 0);
        return case when given = '' then given when given = lower(given) then lower(made)
                    when length(given) > 2 and given = upper(given) then upper(made) else made end;
    end if;
    foreach part in array string_to_array(left(given, 200), ' ') loop
        made := case when part = '' then '' else neondba_mask.word(neondba_mask.digest('name', lower(part)), 0) end;
        found := found || case when found = '' then '' else ' ' end || made;
    end loop;
    return case when trim(given) = '' then given when given = lower(given) then lower(found)
                when given = upper(given) then upper(found) else found end;
end $$;

-- A name that only one bears.
create function neondba_mask.handle(given text) returns text language plpgsql stable strict parallel safe as $$
declare hashed bytea;
begin
    if given = '' then
        return given;
    end if;
    hashed := neondba_mask.digest('handle', lower(given));
    return neondba_mask.cased(lower(neondba_mask.word(hashed, 0)) || encode(substr(hashed, 9, 6), 'hex'), given);
end $$;

create function neondba_mask.address(given text) returns text language plpgsql stable strict parallel safe as $$
declare hashed bytea;
begin
    if trim(given) = '' then
        return given;
    end if;
    hashed := neondba_mask.digest('address', lower(given));
    return 1 + get_byte(hashed, 9) || ' ' || neondba_mask.word(hashed, 0) || ' Street';
end $$;

create function neondba_mask.place(given text) returns text language plpgsql stable strict parallel safe as $$
begin
    return case when trim(given) = '' then given
                else neondba_mask.word(neondba_mask.digest('place', lower(given)), 0) end;
end $$;

create function neondba_mask.url(given text) returns text language plpgsql stable strict parallel safe as $$
begin
    return case when given = '' then given
                else 'https://example.com/' || left(encode(neondba_mask.digest('url', given), 'hex'), 20) end;
end $$;

-- A secret of the same length that opens nothing.
create function neondba_mask.token(given text) returns text language plpgsql stable strict parallel safe as $$
declare hashed bytea;
begin
    if length(given) < 12 then
        return neondba_mask.code(given);
    end if;
    hashed := neondba_mask.digest('token', given);
    if given ~ '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$' then
        return encode(substr(hashed, 1, 16), 'hex')::uuid::text;
    end if;
    return neondba_mask.hex(hashed, length(given));
end $$;

-- Invented words, as long as the text.
create function neondba_mask.text(given text) returns text language plpgsql stable strict parallel safe as $$
declare hashed bytea; made text := ''; wanted int := length(given);
begin
    if trim(given) = '' then
        return given;
    end if;
    hashed := neondba_mask.digest('text', given);
    for place in 0..3 loop
        made := made || lower(neondba_mask.word(hashed, place * 4)) || ' ';
    end loop;
    made := initcap(left(made, 1)) || substr(left(repeat(made, wanted / length(made) + 1), wanted), 2);
    return case when made = given then reverse(made) || 'x' else made end;
end $$;

create function neondba_mask.iban(given text) returns text language plpgsql stable strict parallel safe as $$
declare plain text := upper(regexp_replace(given, '[^0-9A-Za-z]', '', 'g')); body text; sign text; left_over int := 0; made text;
begin
    if plain !~ '^[A-Z]{2}[0-9]{2}[0-9A-Z]{10,30}$' then
        return neondba_mask.code(given);
    end if;
    body := neondba_mask.code(substr(plain, 5), 'iban');
    foreach sign in array string_to_array(body || left(plain, 2) || '00', null) loop
        left_over := case when sign ~ '[0-9]' then left_over * 10 + sign::int
                          else left_over * 100 + ascii(sign) - 55 end % 97;
    end loop;
    made := left(plain, 2) || lpad((98 - left_over)::text, 2, '0') || body;
    return case when position(' ' in given) > 0 then trim(regexp_replace(made, '(.{4})', '\1 ', 'g')) else made end;
end $$;

create function neondba_mask.luhn(digits text) returns int language plpgsql immutable strict parallel safe as $$
declare sum int := 0; one int;
begin
    for place in 1..length(digits) loop
        one := substr(digits, length(digits) + 1 - place, 1)::int * (1 + place % 2);
        sum := sum + one / 10 + one % 10;
    end loop;
    return (10 - sum % 10) % 10;
end $$;

create function neondba_mask.card(given text) returns text language plpgsql stable strict parallel safe as $$
declare plain text := regexp_replace(given, '[^0-9]', '', 'g'); body text;
begin
    if length(plain) < 12 or neondba_mask.luhn(left(plain, -1))::text <> right(plain, 1) then
        return neondba_mask.code(given, 'card');
    end if;
    body := neondba_mask.digits('card', left(plain, -1));
    return neondba_mask.filled(given, body || neondba_mask.luhn(body));
end $$;

-- Addresses that no machine has: 240.0.0.0/4 is reserved, 2001:db8::/32 is for examples.
create function neondba_mask.net(given inet) returns inet language plpgsql stable strict parallel safe as $$
declare hashed bytea := neondba_mask.digest('ip', host(given)); made text;
begin
    if family(given) = 4 then
        made := (240 + get_byte(hashed, 0) % 15) || '.' || get_byte(hashed, 1) || '.' || get_byte(hashed, 2) || '.' || get_byte(hashed, 3);
    else
        made := '2001:db8:' || regexp_replace(left(encode(hashed, 'hex'), 24), '(....)(?=.)', '\1:', 'g');
    end if;
    return set_masklen(made::inet, masklen(given));
end $$;

create function neondba_mask.ip(given text) returns text language plpgsql stable strict parallel safe as $$
begin
    if given ~ '^([0-9]{1,3}\.){3}[0-9]{1,3}$' or given ~ '^[0-9a-fA-F:]*:[0-9a-fA-F:.]+$' then
        return host(neondba_mask.net(given::inet));
    end if;
    return neondba_mask.code(given);
exception when invalid_text_representation then
    return neondba_mask.code(given);
end $$;

-- Up to two years earlier, never the same day; the time of day moves with a timestamp.
create function neondba_mask.day(given date) returns date language plpgsql stable strict parallel safe as $$
begin
    return case when isfinite(given)
                then given - (1 + neondba_mask.bits(neondba_mask.digest('day', to_char(given, 'YYYY-MM-DD'))) % 730)::int
                else given end;
end $$;

create function neondba_mask.moment(given timestamp) returns timestamp language plpgsql stable strict parallel safe as $$
begin
    return case when isfinite(given)
                then given - make_interval(
                    secs => 86400 + neondba_mask.bits(neondba_mask.digest('moment', given::text)) % 62985600)
                else given end;
end $$;

create function neondba_mask.date(given text) returns text language plpgsql stable strict parallel safe as $$
begin
    if given ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then
        return to_char(neondba_mask.day(given::date), 'YYYY-MM-DD');
    end if;
    return neondba_mask.code(given);
exception when datetime_field_overflow then
    return neondba_mask.code(given);
end $$;

-- As many digits, the same sign; no two numbers become one.
create function neondba_mask.number(given bigint, most bigint) returns bigint
language plpgsql stable strict parallel safe as $$
declare size numeric := abs(given::numeric); count int := length(size::text); made bigint := size; least numeric;
begin
    if count > 18 then
        return sign(given::numeric) * (neondba_mask.bits(neondba_mask.digest('number', given::text)) % most);
    end if;
    least := case when count = 1 then 0 else 10::numeric ^ (count - 1) end;
    loop
        made := neondba_mask.moved('number', made, (10::numeric ^ count)::bigint);
        exit when made >= least and made <= most;
    end loop;
    return case when given < 0 then -made else made end;
end $$;

create function neondba_mask.amount(given numeric) returns numeric language plpgsql stable strict parallel safe as $$
begin
    if given = 'NaN' or abs(given) >= 1000000000000000 then
        return 0;
    end if;
    return neondba_mask.digits('amount', trunc(abs(given))::bigint::text)::numeric * case when given < 0 then -1 else 1 end
           + case when scale(given) = 0 then 0 else mod(given, 1) end;
end $$;

-- E-mail addresses, telephone, account and card numbers and addresses of machines inside a text.
create function neondba_mask.scrub(given text) returns text language plpgsql stable strict parallel safe as $$
declare found text; made text := given;
begin
    if given !~ '[@+]|[0-9]{2}' then
        return given;
    end if;
    for found in select distinct m[1] from regexp_matches(given, '([[:alnum:]._%+-]+@[[:alnum:].-]+\.[[:alpha:]]{2,})', 'g') m loop
        made := replace(made, found, neondba_mask.email(found, 1000));
    end loop;
    for found in select distinct m[1] from regexp_matches(given, '(?<![[:alnum:]@])(\+[0-9][0-9 ()./-]{6,}[0-9])', 'g') m loop
        made := replace(made, found, neondba_mask.phone(found));
    end loop;
    for found in select distinct m[1] from regexp_matches(given, '\m([A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){3,7}(?: ?[0-9A-Z]{1,3})?)\M', 'g') m loop
        made := replace(made, found, neondba_mask.iban(found));
    end loop;
    for found in select distinct m[1] from regexp_matches(given, '\m([0-9]{4}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{1,7})\M', 'g') m loop
        made := replace(made, found, neondba_mask.card(found));
    end loop;
    for found in select distinct m[1] from regexp_matches(given, '(?<![0-9.])((?:[0-9]{1,3}\.){3}[0-9]{1,3})(?!\.?[0-9])', 'g') m loop
        made := replace(made, found, neondba_mask.ip(found));
    end loop;
    return made;
end $$;

-- By its shape: an address, a number, or else the name of somebody.
create function neondba_mask.identity(given text) returns text language plpgsql stable strict parallel safe as $$
begin
    if given ~ '^[^@[:space:]]+@[^@[:space:]]+$' then
        return neondba_mask.email(given, 1000);
    elsif given ~ '^\+?[0-9][0-9 ()./-]{5,}$' then
        return neondba_mask.phone(given);
    elsif given ~ '@' or length(given) >= 32 then
        return neondba_mask.token(given);
    end if;
    return neondba_mask.handle(given);
end $$;

create function neondba_mask.masked(kind text, given text) returns text
language plpgsql stable strict parallel safe as $$
begin
    return case kind
        when 'email' then neondba_mask.email(given, 1000)
        when 'phone' then neondba_mask.phone(given)
        when 'name' then neondba_mask.name(given)
        when 'handle' then neondba_mask.handle(given)
        when 'address' then neondba_mask.address(given)
        when 'place' then neondba_mask.place(given)
        when 'url' then neondba_mask.url(given)
        when 'code' then neondba_mask.code(given)
        when 'iban' then neondba_mask.iban(given)
        when 'card' then neondba_mask.card(given)
        when 'ip' then neondba_mask.ip(given)
        when 'date' then neondba_mask.date(given)
        when 'token' then neondba_mask.token(given)
        when 'scrub' then neondba_mask.scrub(given)
        when 'identity' then neondba_mask.identity(given)
        else neondba_mask.text(given)
    end;
end $$;

create function neondba_mask.each(kind text, given text[]) returns text[]
language plpgsql stable strict parallel safe as $$
declare found text[] := given; place int := 0; one text; flat text[];
begin
    if array_ndims(given) > 1 then
        raise exception 'an array of arrays cannot be masked' using errcode = 'feature_not_supported';
    end if;
    flat := array[]::text[];
    foreach one in array given loop
        flat := flat || neondba_mask.masked(kind, one);
    end loop;
    return flat;
end $$;

create function neondba_mask.bytes(given bytea) returns bytea language plpgsql stable strict parallel safe as $$
declare wanted int := octet_length(given);
begin
    return decode(left(repeat(encode(neondba_mask.digest('bytes', md5(given)), 'hex'), wanted / 32 + 1), 2 * wanted), 'hex');
end $$;

create function neondba_mask.uuid(given uuid) returns uuid language plpgsql stable strict parallel safe as $$
begin
    return encode(substr(neondba_mask.digest('token', given::text), 1, 16), 'hex')::uuid;
end $$;

create function neondba_mask.mac(given macaddr) returns macaddr language plpgsql stable strict parallel safe as $$
begin
    return ('02' || left(encode(neondba_mask.digest('mac', given::text), 'hex'), 10))::macaddr;
end $$;

-- What a document's keys say is personal, and what its texts hold; `kinds` is key to kind.
create function neondba_mask.document(given jsonb, kinds jsonb, inside text default null) returns jsonb
language plpgsql stable parallel safe as $$
declare made jsonb; key text; one jsonb; plain text;
begin
    case jsonb_typeof(given)
        when 'object' then
            made := '{}';
            for key, one in select * from jsonb_each(given) loop
                made := made || jsonb_build_object(
                    neondba_mask.scrub(key), neondba_mask.document(one, kinds, coalesce(kinds ->> key, inside)));
            end loop;
            return made;
        when 'array' then
            select coalesce(jsonb_agg(neondba_mask.document(e, kinds, inside) order by n), '[]') into made
            from jsonb_array_elements(given) with ordinality x(e, n);
            return made;
        when 'string' then
            plain := given #>> '{}';
            return to_jsonb(case when inside is null or inside = '-' then neondba_mask.scrub(plain)
                                 else neondba_mask.masked(inside, plain) end);
        when 'number' then
            if inside is null or inside = '-' then
                return given;
            end if;
            return to_jsonb(neondba_mask.amount((given #>> '{}')::numeric));
        else
            return given;
    end case;
end $$;
