-- Invented values: a sentence each, so that every row gets another.
create function anon.lorem_ipsum(paragraphs int default 1, words int default 0, characters int default 0)
returns text language plpgsql volatile as $$
declare made text;
begin
    if characters > 0 then
        return left((select string_agg(anon._lorem(), ' ') from generate_series(1, 1 + characters / 3)), characters);
    elsif words > 0 then
        return (select string_agg(anon._lorem(), ' ') from generate_series(1, words));
    end if;
    select string_agg(anon.dummy_paragraph(), e'\n\n') into made from generate_series(1, paragraphs);
    return made;
end $$;

do $make$
declare made record;
begin
    for made in
        select * from (values
            ('dummy_word', $$anon._lorem()$$),
            ('dummy_sentence', $$initcap(anon._lorem()) || (select string_agg(' ' || anon._lorem(), '')
                from generate_series(1, 7)) || '.'$$),
            ('dummy_paragraph', $$(select string_agg(anon.dummy_sentence(), ' ') from generate_series(1, 4))$$),
            ('fake_first_name', $$anon._first_name()$$),
            ('fake_last_name', $$anon._last_name()$$),
            ('fake_city', $$anon._city()$$),
            ('fake_country', $$anon._country()$$),
            ('fake_company', $$anon._company() || ' ' || anon._company_suffix()$$),
            ('fake_address', $$anon.random_int_between(1, 199) || ' ' || anon._street() || ' '
                || anon._street_suffix() || ', ' || anon._digits(5) || ' ' || anon._city()$$),
            ('fake_email', $$lower(anon._first_name() || '.' || anon._last_name()) || '.'
                || anon._hex(10) || '@' || anon._mail_host()$$),
            ('fake_postcode', $$anon._digits(5)$$),
            ('fake_iban', $$'ZZ' || anon._digits(18)$$),
            ('fake_siret', $$anon._digits(14)$$),
            ('dummy_first_name', $$anon._first_name()$$),
            ('dummy_last_name', $$anon._last_name()$$),
            ('dummy_name', $$anon._first_name() || ' ' || anon._last_name()$$),
            ('dummy_name_with_title', $$anon._title() || ' ' || anon.dummy_name()$$),
            ('dummy_title', $$anon._title()$$),
            ('dummy_username', $$lower(anon._first_name()) || '_' || anon._hex(10)$$),
            ('dummy_email', $$anon.fake_email()$$),
            ('dummy_free_email', $$anon.fake_email()$$),
            ('dummy_safe_email', $$anon.fake_email()$$),
            ('dummy_password', $$anon.random_string(16)$$),
            ('dummy_phone_number', $$'+999' || anon._digits(9)$$),
            ('dummy_cell_number', $$'+999' || anon._digits(9)$$),
            ('dummy_city_name', $$anon._city()$$),
            ('dummy_country_name', $$anon._country()$$),
            ('dummy_country_code', $$anon._country_code()$$),
            ('dummy_state_name', $$anon._state()$$),
            ('dummy_state_abbr', $$anon._state_code()$$),
            ('dummy_street_name', $$anon._street() || ' ' || anon._street_suffix()$$),
            ('dummy_street_suffix', $$anon._street_suffix()$$),
            ('dummy_building_number', $$anon.random_int_between(1, 199)::text$$),
            ('dummy_secondary_address', $$'Apt. ' || anon._digits(3)$$),
            ('dummy_zip_code', $$anon._digits(5)$$),
            ('dummy_post_code', $$anon._digits(5)$$),
            ('dummy_timezone', $$anon._timezone()$$),
            ('dummy_time_zone', $$anon._timezone()$$),
            ('dummy_latitude', $$(round((random() * 180 - 90)::numeric, 6))::text$$),
            ('dummy_longitude', $$(round((random() * 360 - 180)::numeric, 6))::text$$),
            ('dummy_company_name', $$anon._company() || ' ' || anon._company_suffix()$$),
            ('dummy_company_suffix', $$anon._company_suffix()$$),
            ('dummy_industry', $$anon._industry()$$),
            ('dummy_profession', $$anon._profession()$$),
            ('dummy_buzzword', $$anon._lorem()$$),
            ('dummy_color', $$anon._color()$$),
            ('dummy_hex_color', $$'#' || anon._hex(6)$$),
            ('dummy_currency_code', $$anon._currency_code()$$),
            ('dummy_currency_name', $$anon._currency()$$),
            ('dummy_credit_card_number', $$'0000' || anon._digits(12)$$),
            ('dummy_bic', $$anon.random_string(4) || 'ZZ' || anon.random_string(2)$$),
            ('dummy_isbn', $$'000' || anon._digits(10)$$),
            ('dummy_licence_plate', $$anon.random_string(3) || '-' || anon._digits(3)$$),
            ('dummy_ip', $$'192.0.2.' || anon.random_int_between(1, 254)$$),
            ('dummy_ipv4', $$'192.0.2.' || anon.random_int_between(1, 254)$$),
            ('dummy_ipv6', $$'2001:db8::' || anon._hex(4)$$),
            ('dummy_mac_address', $$rtrim(regexp_replace('02' || anon._hex(10), '(..)', '\1:', 'g'), ':')$$),
            ('dummy_domain_suffix', $$anon._domain_suffix()$$),
            ('dummy_user_agent', $$'Mozilla/5.0 (example ' || anon._digits(4) || ')'$$),
            ('dummy_file_name', $$anon._lorem() || '_' || anon._digits(4) || '.' || anon._file_extension()$$),
            ('dummy_file_extension', $$anon._file_extension()$$),
            ('dummy_semver', $$anon.random_int_between(0, 9) || '.' || anon.random_int_between(0, 20) || '.'
                || anon.random_int_between(0, 99)$$),
            ('dummy_uuidv4', $$gen_random_uuid()::text$$)
        ) as known (name, body)
    loop
        execute format(
            'create function anon.%I() returns text language plpgsql volatile as %L',
            made.name, 'begin return ' || made.body || '; end'
        );
    end loop;
end $make$;

grant usage on schema anon to neon_superuser;
grant execute on all functions in schema anon to neon_superuser;
