/* tables.c: the tables of reference data as rows of topics.
 *
 * (1) A query gives a row's tenant, its id and its record as JSON, read by the record's codec as a file's row is.
 * (2) One that the codec does not take leaves its row in the topic as it is, and is told.
 */
#include "topologies/postgres/tables.h"

#include "framework/json.h"

#define WAIT_MS 60000

const struct market_reference_kind *const market_references[MARKET_REFERENCES] = {
    market_reference_instruments, market_reference_rules, market_reference_pairs, market_reference_curves
};

static const char *const queries[MARKET_REFERENCES] = {
    "select i.tenant_id, i.instrument_id, json_strip_nulls(json_build_object("
    "'tenant_id', i.tenant_id, 'instrument_id', i.instrument_id, 'commodity', i.commodity, 'region', i.region, "
    "'product_tier', i.product_tier, 'unit', coalesce(i.unit, c.unit), 'currency', coalesce(i.currency, c.currency), "
    "'contract_size', i.contract_size, 'tick_size', i.tick_size, 'aliases', (select json_agg(alias order by alias) "
    "from instrument_aliases a where a.tenant_id = i.tenant_id and a.instrument_id = i.instrument_id and a.active), "
    "'metadata', (select json_object_agg(key, value) from jsonb_each_text(i.metadata)), 'active', i.active)) "
    "from taxonomy_instruments i left join taxonomy_commodities c on c.tenant_id = i.tenant_id "
    "and c.commodity_code = i.commodity and c.active order by 1, 2",

    "select tenant_id, 'RULES', json_build_object('tenant_id', tenant_id, 'rules_id', 'RULES', 'rules', json_agg("
    "json_build_object('kind', kind, 'answer', answer, 'keywords', array(select btrim(k) from unnest(string_to_array("
    "keywords, ',')) k where k ~ '[^[:space:]]'), 'priority', priority) order by kind, priority desc, answer)) "
    "from (select tenant_id, 'commodity' as kind, commodity as answer, keywords, priority from taxonomy_commodity_rules "
    "where active union all select tenant_id, 'region', region, keywords, priority from taxonomy_region_rules "
    "where active union all select tenant_id, 'product_tier', product_tier, keywords, priority from taxonomy_tier_rules "
    "where active) r group by tenant_id order by 1",

    "select p.tenant_id, p.pair_id, json_strip_nulls(json_build_object('tenant_id', p.tenant_id, 'pair_id', p.pair_id, "
    "'kind', p.kind, 'legs', (select coalesce(json_agg(json_build_object('instrument_id', l.instrument_id, 'weight', "
    "l.weight) order by l.position), '[]') from pair_legs l where l.tenant_id = p.tenant_id and l.pair_id = p.pair_id), "
    "'interval', p.interval, 'max_age_ms', p.max_age_ms, 'unit', p.unit, 'active', p.active)) "
    "from pair_definitions p order by 1, 2",

    "select c.tenant_id, c.curve_id, json_strip_nulls(json_build_object('tenant_id', c.tenant_id, 'curve_id', c.curve_id, "
    "'members', (select coalesce(json_agg(json_build_object('instrument_id', m.instrument_id, 'contract_month', "
    "m.contract_month, 'tenor', m.tenor) order by m.instrument_id), '[]') from curve_members m "
    "where m.tenant_id = c.tenant_id and m.curve_id = c.curve_id), 'method', c.interpolation_method, 'day_count', "
    "c.day_count, 'horizons', (select json_agg(btrim(h)) from unnest(string_to_array(c.horizons, ',')) h), "
    "'interval', c.interval, 'max_age_ms', c.max_age_ms, 'active', c.active)) from curve_metadata c order by 1, 2",
};

void market_snapshot_free(struct market_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    weir__arena_fini(&snapshot->arena);
    weir__free(snapshot);
}

static struct weir_text cell(const PGresult *result, int row, int column)
{
    return (struct weir_text){ PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column) };
}

static void refuse(struct market_snapshot *snapshot, const struct market_reference_kind *kind,
                   const struct market_key *key, const char *words)
{
    if (snapshot->refused++ == 0)
        snprintf(snapshot->why, sizeof(snapshot->why), "%.*s of tenant %.*s is of no use to %s: %.120s",
                 (int)MIN(key->instrument.size, 60), key->instrument.data, (int)MIN(key->tenant.size, 50),
                 key->tenant.data, kind->topic, words);
}

/* One row; scratch is for what does not stay. */
static int take_row(struct market_snapshot *snapshot, size_t kind, const PGresult *result, int i,
                    struct weir_arena *scratch)
{
    const struct market_reference_kind *of = market_references[kind];
    struct market_snapshot_rows        *rows = &snapshot->kinds[kind];
    const struct market_key             key = { cell(result, i, 0), cell(result, i, 1) };
    const struct weir_text              json = cell(result, i, 2);
    struct market_row                  *row = &rows->rows[rows->count];
    struct weir_error                   words = { 0 };
    void                               *record = weir_arena_alloc(scratch, of->codec->bytes);
    int                                 err;

    if (record == NULL)
        return WEIR_NO_MEMORY;
    err = market_key->encode(market_key, &snapshot->arena, &key, &row->key);
    if (err < 0) {
        refuse(snapshot, of, &key, "its tenant or id is not as they must be");
        return WEIR_OK;
    }
    err = market_explain(of->codec, scratch, BYTES(json.data, json.size), record, &words);
    if (err == WEIR_OK)
        err = market_content_bytes(of, &snapshot->arena, record, &row->content);
    if (err == WEIR_LIMIT || err == WEIR_NO_MEMORY)
        return WEIR_NO_MEMORY;
    if (err < 0) {
        refuse(snapshot, of, &key, words.text);
        rows->unreadable[rows->unreadable_count++] = row->key;
        return WEIR_OK;
    }
    row->version = 0;
    rows->count++;
    return WEIR_OK;
}

static int take_rows(struct market_snapshot *snapshot, size_t kind, const PGresult *result)
{
    AUTO(weir__arena_fini) struct weir_arena scratch = { 0 };
    struct market_snapshot_rows             *rows = &snapshot->kinds[kind];
    size_t                                   count = (size_t)PQntuples(result);
    int                                      err = WEIR_OK;

    rows->rows = weir_arena_alloc(&snapshot->arena, sizeof(*rows->rows) * (count + 1));
    rows->unreadable = weir_arena_alloc(&snapshot->arena, sizeof(*rows->unreadable) * (count + 1));
    if (rows->rows == NULL || rows->unreadable == NULL)
        return WEIR_NO_MEMORY;
    for (size_t i = 0; err == WEIR_OK && i < count; i++) {
        weir__arena_reset(&scratch);
        err = take_row(snapshot, kind, result, (int)i, &scratch);
    }
    return err;
}

static int read_kinds(struct postgres_link *link, struct market_snapshot *snapshot, struct weir_error *reterr)
{
    int err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < MARKET_REFERENCES; i++) {
        PGresult *result = NULL;

        err = postgres_ask(link, queries[i], NULL, 0, WAIT_MS, &result, reterr);
        if (err == WEIR_OK && take_rows(snapshot, i, result) < 0)
            err = weir__fail(reterr, WEIR_NO_MEMORY, "postgres.dsn", "no memory for the rows of %s",
                             market_references[i]->topic);
        PQclear(result);
    }
    return err;
}

int postgres_read_tables(struct postgres_link *link, struct market_snapshot **ret, struct weir_error *reterr)
{
    struct market_snapshot *snapshot = weir__zalloc(sizeof(*snapshot));
    int                     err;

    if (snapshot == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "postgres.dsn", "out of memory");
    err = postgres_ask(link, "begin isolation level repeatable read read only", NULL, 0, WAIT_MS, NULL, reterr);
    if (err == WEIR_OK)
        err = read_kinds(link, snapshot, reterr);
    if (err == WEIR_OK)
        err = postgres_ask(link, "commit", NULL, 0, WAIT_MS, NULL, reterr);
    else if (!postgres_link_lost(link))
        (void)postgres_ask(link, "rollback", NULL, 0, WAIT_MS, NULL, NULL);
    if (err < 0) {
        market_snapshot_free(snapshot);
        return err;
    }
    *ret = snapshot;
    return WEIR_OK;
}
