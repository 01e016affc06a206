-- Rules on the words of instrument ids, for instruments that no row describes. keywords: with commas between; the greatest priority
-- goes first, those built in have 0. The rows of a commodity, region or tier stand in the place of the rule that is built in for it;
-- a row without keywords takes it away.

create table taxonomy_commodity_rules (
    tenant_id text not null default 'default' check (reference_is_tenant(tenant_id)),
    commodity text not null check (reference_is_word(commodity)),
    keywords text not null,
    priority integer not null default 1,
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, commodity, priority)
);

create table taxonomy_region_rules (
    tenant_id text not null default 'default' check (reference_is_tenant(tenant_id)),
    region text not null check (reference_is_word(region)),
    keywords text not null,
    priority integer not null default 1,
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, region, priority)
);

create table taxonomy_tier_rules (
    tenant_id text not null default 'default' check (reference_is_tenant(tenant_id)),
    product_tier text not null check (reference_is_word(product_tier)),
    keywords text not null,
    priority integer not null default 1,
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, product_tier, priority)
);

create trigger touched before update on taxonomy_commodity_rules for each row execute function reference_touched();
create trigger touched before update on taxonomy_region_rules for each row execute function reference_touched();
create trigger touched before update on taxonomy_tier_rules for each row execute function reference_touched();

create trigger tell after insert or update or delete or truncate on taxonomy_commodity_rules
    for each statement execute function reference_tell();
create trigger tell after insert or update or delete or truncate on taxonomy_region_rules
    for each statement execute function reference_tell();
create trigger tell after insert or update or delete or truncate on taxonomy_tier_rules
    for each statement execute function reference_tell();
