-- What is known of instruments, for each tenant. A null is not known; nothing is made up.

create function reference_touched() returns trigger language plpgsql as $$
begin
    new.updated_at := now();
    return new;
end $$;

-- Whoever reads these tables listens to reference_changed, and reads them again.
create function reference_tell() returns trigger language plpgsql as $$
begin
    perform pg_notify('reference_changed', tg_table_name);
    return null;
end $$;

create function reference_is_id(id text) returns boolean language sql immutable as
    $$ select length(id) between 1 and 100 and id ~ '^[A-Z0-9_-]+([.][A-Z0-9_-]+)*$' $$;
create function reference_is_tenant(tenant text) returns boolean language sql immutable as
    $$ select tenant ~ '^[A-Za-z0-9._-]{1,50}$' $$;
create function reference_is_word(word text) returns boolean language sql immutable as
    $$ select word is null or (octet_length(word) between 1 and 64 and word = btrim(word)) $$;

-- A commodity's unit and currency stand for those of its instruments that name none.
create table taxonomy_commodities (
    tenant_id text not null default 'default' check (reference_is_tenant(tenant_id)),
    commodity_code text not null check (reference_is_word(commodity_code)),
    commodity_name text,
    category text,
    unit text check (reference_is_word(unit)),
    currency text check (currency ~ '^[A-Z]{3}$'),
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, commodity_code)
);

create table taxonomy_instruments (
    tenant_id text not null default 'default' check (reference_is_tenant(tenant_id)),
    instrument_id text not null check (reference_is_id(instrument_id)),
    commodity text check (reference_is_word(commodity)),
    region text check (reference_is_word(region)),
    product_tier text check (reference_is_word(product_tier)),
    unit text check (reference_is_word(unit)),
    currency text check (currency ~ '^[A-Z]{3}$'),
    contract_size numeric(19, 8) check (abs(contract_size) <= 92233720368),
    tick_size numeric(19, 8) check (tick_size >= 0 and tick_size <= 92233720368),
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, instrument_id)
);

create table instrument_aliases (
    tenant_id text not null default 'default',
    alias text not null check (octet_length(alias) between 1 and 100),
    instrument_id text not null,
    active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, alias),
    foreign key (tenant_id, instrument_id) references taxonomy_instruments on update cascade on delete cascade
);
create index on instrument_aliases (tenant_id, instrument_id);

create trigger touched before update on taxonomy_commodities for each row execute function reference_touched();
create trigger touched before update on taxonomy_instruments for each row execute function reference_touched();
create trigger touched before update on instrument_aliases for each row execute function reference_touched();

create trigger tell after insert or update or delete or truncate on taxonomy_commodities
    for each statement execute function reference_tell();
create trigger tell after insert or update or delete or truncate on taxonomy_instruments
    for each statement execute function reference_tell();
create trigger tell after insert or update or delete or truncate on instrument_aliases
    for each statement execute function reference_tell();
