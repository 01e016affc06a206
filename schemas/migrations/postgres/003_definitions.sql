-- Which instruments spreads and curves are made of. interval: of the bars; max_age_ms: how old a bar may be that stands in for one
-- that is missing.

create table pair_definitions (
    tenant_id text not null default 'default' check (reference_is_tenant(tenant_id)),
    pair_id text not null check (reference_is_id(pair_id)),
    kind text not null check (kind in ('calendar', 'inter_market', 'spot_future')),
    interval text check (interval in ('1m', '5m', '1h', '1d')),
    max_age_ms bigint check (max_age_ms >= 0),
    unit text check (reference_is_word(unit)),
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, pair_id)
);

create table pair_legs (
    tenant_id text not null default 'default',
    pair_id text not null,
    position integer not null,
    instrument_id text not null check (reference_is_id(instrument_id)),
    weight numeric(19, 8) not null check (weight <> 0 and abs(weight) <= 92233720368),
    primary key (tenant_id, pair_id, position),
    foreign key (tenant_id, pair_id) references pair_definitions on update cascade on delete cascade
);

create table curve_metadata (
    tenant_id text not null default 'default' check (reference_is_tenant(tenant_id)),
    curve_id text not null check (reference_is_id(curve_id)),
    curve_name text,
    commodity text check (reference_is_word(commodity)),
    region text check (reference_is_word(region)),
    interpolation_method text not null default 'linear' check (interpolation_method in ('linear', 'log_linear', 'cubic')),
    day_count text not null default 'act_365' check (day_count in ('act_365', 'act_360', '30_360')),
    horizons text,
    interval text check (interval in ('1m', '5m', '1h', '1d')),
    max_age_ms bigint check (max_age_ms >= 0),
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, curve_id)
);

create table curve_members (
    tenant_id text not null default 'default',
    curve_id text not null,
    instrument_id text not null check (reference_is_id(instrument_id)),
    contract_month text check (contract_month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    tenor text check (reference_is_word(tenor)),
    primary key (tenant_id, curve_id, instrument_id),
    foreign key (tenant_id, curve_id) references curve_metadata on update cascade on delete cascade,
    check (contract_month is null or tenor is null)
);

create trigger touched before update on pair_definitions for each row execute function reference_touched();
create trigger touched before update on curve_metadata for each row execute function reference_touched();

create trigger tell after insert or update or delete or truncate on pair_definitions
    for each statement execute function reference_tell();
create trigger tell after insert or update or delete or truncate on pair_legs
    for each statement execute function reference_tell();
create trigger tell after insert or update or delete or truncate on curve_metadata
    for each statement execute function reference_tell();
create trigger tell after insert or update or delete or truncate on curve_members
    for each statement execute function reference_tell();
