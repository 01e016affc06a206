/* definitions.c: definitions of pairs and curves as global tables, and which of them an instrument is a member of.
 *
 * (1) A row of the table stands for a tenant and an id. It has the definition of that id, if there is one, and the ids of the
 *     definitions that have the instrument of that id as a member.
 */
#include "topologies/members.h"

/* ---- a definition, whichever it is ---- */

static const struct market_records *members_of(bool curves, const void *definition)
{
    return curves ? &((const struct market_curve *)definition)->members
                  : &((const struct market_pair *)definition)->legs;
}

static struct weir_text member_at(bool curves, const struct market_records *members, size_t n)
{
    return curves ? ((const struct market_member *)members->rows)[n].instrument_id
                  : ((const struct market_leg *)members->rows)[n].instrument_id;
}

/* ---- the table ---- */

static int read_row(struct weir_context *ctx, const struct weir_store *store, const struct market_key *key,
                    struct market_defined *ret)
{
    const struct market_defined *known;
    int                          err = weir_get(ctx, store, key, (const void **)&known);

    *ret = err == WEIR_OK ? *known : (struct market_defined){ 0 };
    return err == WEIR_NOTFOUND ? WEIR_OK : err;
}

static int write_row(struct weir_context *ctx, const struct weir_store *store, const struct market_key *key,
                     const struct market_defined *row)
{
    bool empty = row->used_by.count == 0 && row->pair.count == 0 && row->curve.count == 0;

    return weir_put(ctx, store, key, empty ? NULL : row);
}

/* Without the id, and with it behind the others where it is to be there. */
static int change_uses(struct weir_context *ctx, struct market_list *uses, struct weir_text id, bool there)
{
    struct weir_text *texts = weir_alloc(ctx, sizeof(*texts) * (uses->count + 1));
    size_t            count = 0;

    if (texts == NULL)
        return WEIR_LIMIT;
    for (size_t i = 0; i < uses->count; i++)
        if (!market_text_same(uses->texts[i], id))
            texts[count++] = uses->texts[i];
    if (there)
        texts[count++] = id;
    *uses = (struct market_list){ texts, count };
    return WEIR_OK;
}

/* Whether its members say that they are in the definition of this id. */
static int set_uses(struct weir_context *ctx, const struct market_defining *to, const struct market_key *key,
                    const void *definition, bool there)
{
    const struct market_records *members = members_of(to->curves, definition);
    int                          err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < members->count; i++) {
        struct market_key     member = { key->tenant, member_at(to->curves, members, i) };
        struct market_defined row;

        err = read_row(ctx, to->store, &member, &row);
        if (err == WEIR_OK)
            err = change_uses(ctx, &row.used_by, key->instrument, there);
        if (err == WEIR_OK)
            err = write_row(ctx, to->store, &member, &row);
    }
    return err;
}

int market_define(struct weir_context *ctx, const struct weir_record *rec)
{
    const struct market_defining *to = weir_arg(ctx);
    const struct market_key      *key = rec->key;
    struct market_defined         row;
    int                           err;

    if (key == NULL)
        return WEIR_OK;
    err = read_row(ctx, to->store, key, &row);
    if (err == WEIR_OK && row.pair.count + row.curve.count > 0)
        err = set_uses(ctx, to, key, to->curves ? row.curve.rows : row.pair.rows, false);
    if (err == WEIR_OK) /* it may be a member of itself */
        err = read_row(ctx, to->store, key, &row);
    if (err < 0)
        return err;
    *(to->curves ? &row.curve : &row.pair) = (struct market_records){ rec->value, rec->value != NULL };
    err = write_row(ctx, to->store, key, &row);
    return err < 0 || rec->value == NULL ? err : set_uses(ctx, to, key, rec->value, true);
}

/* ---- at work ---- */

static struct weir_text interval_or(struct weir_text interval)
{
    return interval.data != NULL ? interval : (struct weir_text){ "1m", 2 };
}

int market_meeting_of(struct weir_context *ctx, const struct weir_node *global, bool curves,
                      const struct market_key *key, struct market_meeting *ret)
{
    const struct market_defined *row;
    const struct market_records *definition;
    int                          err = weir_lookup(ctx, global, key, (const void **)&row);

    if (err < 0)
        return err;
    definition = curves ? &row->curve : &row->pair;
    if (definition->count == 0)
        return WEIR_NOTFOUND;
    *ret = (struct market_meeting){ .key = *key };
    if (curves) {
        ret->curve = definition->rows;
        ret->interval = interval_or(ret->curve->interval);
        ret->max_age = ret->curve->max_age_ms;
        ret->count = ret->curve->members.count;
        return ret->curve->active ? WEIR_OK : WEIR_NOTFOUND;
    }
    ret->pair = definition->rows;
    ret->interval = interval_or(ret->pair->interval);
    ret->max_age = ret->pair->max_age_ms;
    ret->count = ret->pair->legs.count;
    return ret->pair->active ? WEIR_OK : WEIR_NOTFOUND;
}

struct weir_text market_meeting_member(const struct market_meeting *meeting, size_t n)
{
    return meeting->curve != NULL ? member_at(true, &meeting->curve->members, n)
                                  : member_at(false, &meeting->pair->legs, n);
}
