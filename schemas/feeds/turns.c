/* turns.c: which one of a repeated hour a label means, where no flag says it: the order of a file's rows does.
 *
 * (1) Row order is order in time: of a label that an instrument has twice, the first row is the earlier hour, in a file
 *     that runs backward the later one.
 * (2) A label that comes once goes by the rows around it where the hour as a whole is there twice: most of its labels are,
 *     or its rows run through it, go back once, and run through it again. Else it is the earlier hour, and said to be ambiguous.
 * (3) Where rows of the later hour are marked ("02X"), those without a mark are of the earlier one.
 * (4) Memory goes with the labels of repeated hours alone: an hour a year for each instrument.
 */
#include "schemas/feeds/files.h"

struct label {
    unsigned total, seen;
};

/* A repeated hour of an instrument. Places in it are instants, as if all were of the earlier hour. */
struct hour {
    unsigned once, twice; /* labels that come once, and more often */
    unsigned up, down;    /* steps from row to row */
    int64_t  last;        /* place of the row before; 0 = none */
    bool     second;      /* the row before was told to be of the hour that comes second in the file */
    bool     marked;      /* rows of the later hour are marked */
};

struct market__turns {
    struct weir__map  labels, hours;
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
    weir__map_fini(&turns->hours);
    weir__arena_fini(&turns->arena);
    weir__free(turns);
}

/* What the map has for a part of an instrument; new and zeroed where it has nothing yet and may_add. NULL = there is none. */
static void *find(struct market__turns *turns, struct weir__map *map, struct weir_text id, struct weir_text part,
                  size_t size, bool may_add)
{
    char             *text = weir__arena_take(&turns->arena, id.size + 1 + part.size);
    struct weir_bytes key = BYTES(text, id.size + 1 + part.size);
    void             *found;

    if (!text)
        return NULL;
    memcpy(text, id.data, id.size);
    text[id.size] = '\0';
    memcpy(text + id.size + 1, part.data, part.size);
    found = weir__map_get(map, key);
    if (found || !may_add)
        return found;
    found = weir__arena_take(&turns->arena, size);
    if (!found)
        return NULL;
    memset(found, 0, size);
    return weir__map_put(map, key, found) == WEIR_OK ? found : NULL;
}

static struct label *find_label(struct market__turns *turns, struct weir_text id, struct weir_text label,
                                bool may_add)
{
    return find(turns, &turns->labels, id, label, sizeof(struct label), may_add);
}

/* Repeated hours lie months apart, each within a day. */
static struct hour *find_hour(struct market__turns *turns, struct weir_text id, int64_t place, bool may_add)
{
    int64_t          day = place / MARKET_DAYS(1);
    struct weir_text part = { .data = (const char *)&day, .size = sizeof(day) };

    return find(turns, &turns->hours, id, part, sizeof(struct hour), may_add);
}

/* A row's place behind that of the row before. */
static void note_step(struct hour *hour, int64_t place)
{
    hour->up += hour->last && place > hour->last;
    hour->down += hour->last && place < hour->last;
    hour->last = place;
}

int market__turns_learn(struct market__turns *turns, struct weir_text id, struct weir_text label, int64_t place)
{
    struct label *found = find_label(turns, id, label, true);
    struct hour  *hour = find_hour(turns, id, place, true);

    if (!found || !hour)
        return WEIR_NO_MEMORY;
    found->total++;
    hour->once += found->total == 1;
    hour->once -= found->total == 2;
    hour->twice += found->total == 2;
    note_step(hour, place);
    return WEIR_OK;
}

int market__turns_mark(struct market__turns *turns, struct weir_text id, int64_t place)
{
    struct hour *hour = find_hour(turns, id, place, true);

    if (!hour)
        return WEIR_NO_MEMORY;
    hour->marked = true;
    return WEIR_OK;
}

void market__turns_ready(struct market__turns *turns, bool backward) { turns->backward = backward; }

void market__turns_rewind(struct market__turns *turns)
{
    struct weir__map_slot *slot;

    for (size_t i = 0; (slot = weir__map_next(&turns->labels, &i));)
        ((struct label *)slot->value)->seen = 0;
    for (size_t i = 0; (slot = weir__map_next(&turns->hours, &i));) {
        ((struct hour *)slot->value)->last = 0;
        ((struct hour *)slot->value)->second = false;
    }
}

static bool comes_twice(const struct market__turns *turns, const struct hour *hour)
{
    return hour->twice > hour->once || (turns->backward ? hour->up : hour->down) == 1;
}

const char *market__turns_tell(struct market__turns *turns, struct weir_text id, struct weir_text label,
                               int64_t place)
{
    struct label *found = find_label(turns, id, label, false);
    struct hour  *hour = find_hour(turns, id, place, false);

    if (hour && hour->marked)
        return "earlier";
    if (!found || !hour || (found->total < 2 && !comes_twice(turns, hour)))
        return "once";
    if (found->total >= 2)
        hour->second = found->seen++ * 2 >= found->total;
    else if (hour->last && (turns->backward ? place > hour->last : place < hour->last))
        hour->second = true;
    hour->last = place;
    return hour->second != turns->backward ? "later" : "earlier";
}
