/* turns.c: which one of a repeated hour a label means, where no flag says it: the order of a file's rows does.
 *
 * (1) Row order is order in time: of a label that an instrument has twice, the first row is the earlier hour, in a file
 *     that runs backward the later one. A label that comes once is the earlier hour, and said to be ambiguous.
 * (2) Memory goes with the labels of repeated hours alone: an hour a year for each instrument.
 */
#include "schemas/feeds/files.h"

struct label {
    struct weir_bytes key;
    unsigned          total, seen;
};

struct market__turns {
    struct weir__map  labels;
    struct weir_arena arena;
    bool              backward;
};

struct market__turns *market__turns_new(void)
{
    struct market__turns *turns = weir__zalloc(sizeof(*turns));

    if (turns)
        weir__arena_init(&turns->arena, 0);
    return turns;
}

void market__turns_free(struct market__turns *turns)
{
    if (!turns)
        return;
    weir__map_fini(&turns->labels);
    weir__arena_fini(&turns->arena);
    weir__free(turns);
}

/* The label of an instrument; a new one where it has none yet and may_add. NULL = there is none. */
static struct label *find(struct market__turns *turns, struct weir_text id, struct weir_text label, bool may_add)
{
    char             *text = weir__arena_take(&turns->arena, id.size + 1 + label.size);
    struct weir_bytes key = BYTES(text, id.size + 1 + label.size);
    struct label     *found;

    if (!text)
        return NULL;
    memcpy(text, id.data, id.size);
    text[id.size] = '\0';
    memcpy(text + id.size + 1, label.data, label.size);
    found = weir__map_get(&turns->labels, key);
    if (found || !may_add)
        return found;
    found = weir__arena_take(&turns->arena, sizeof(*found));
    if (!found)
        return NULL;
    *found = (struct label){ .key = key };
    return weir__map_put(&turns->labels, key, found) == WEIR_OK ? found : NULL;
}

int market__turns_learn(struct market__turns *turns, struct weir_text id, struct weir_text label)
{
    struct label *found = find(turns, id, label, true);

    if (!found)
        return WEIR_NO_MEMORY;
    found->total++;
    return WEIR_OK;
}

void market__turns_ready(struct market__turns *turns, bool backward) { turns->backward = backward; }

void market__turns_rewind(struct market__turns *turns)
{
    struct weir__map_slot *slot;

    for (size_t i = 0; (slot = weir__map_next(&turns->labels, &i));)
        ((struct label *)slot->value)->seen = 0;
}

const char *market__turns_tell(struct market__turns *turns, struct weir_text id, struct weir_text label)
{
    struct label *found = find(turns, id, label, false);
    bool          second;

    if (!found || found->total < 2)
        return "once";
    second = found->seen++ * 2 >= found->total;
    return second != turns->backward ? "later" : "earlier";
}
