/* event.c: one event: kept, hashed, printed. */
#include "framework/audit/internal.h"

#include <inttypes.h>

/* Bytes of a text; of details. */
#define TEXT_MOST    ((size_t)1024)
#define DETAILS_MOST ((size_t)16384)

#define NAME(id, name) [WEIR__AUDIT_##id] = name,
const char *const weir__audit_names[WEIR__AUDIT_TEXT_COUNT] = { WEIR__AUDIT_TEXTS(NAME) };

/* ---- keeping ---- */

static size_t most_of(size_t at) { return at == WEIR__AUDIT_DETAILS ? DETAILS_MOST : TEXT_MOST; }

/* As any writer can have it and give it back: UTF-8 without control characters, whole characters. */
static size_t copy_text(char *to, const char *text, size_t most)
{
    size_t size = strlen(text), at = 0, made = 0;

    while (at < size && made < most) {
        uint32_t character;
        size_t   taken = weir__utf8_take(BYTES(text + at, size - at), &character);

        if (taken > most - made)
            break;
        if (taken == 0 || character < ' ' || (character >= 127 && character < 160))
            to[made++] = '?';
        else
            memcpy(to + made, text + at, taken), made += taken;
        at += MAX(taken, (size_t)1);
    }
    to[made] = '\0';
    return made + 1;
}

struct weir__audit_kept *weir__audit_keep(const struct weir__audit *audit,
                                          const char *const         texts[WEIR__AUDIT_TEXT_COUNT])
{
    const char              *all[WEIR__AUDIT_TEXT_COUNT];
    struct weir__audit_kept *kept;
    size_t                   room = sizeof(*kept);
    char                    *to;

    memcpy(all, texts, sizeof(all));
    all[WEIR__AUDIT_CHAIN] = audit->chain;
    all[WEIR__AUDIT_ENVIRONMENT] = audit->config.environment;
    all[WEIR__AUDIT_PREVIOUS] = audit->previous;
    for (size_t i = 0; i < WEIR__AUDIT_TEXT_COUNT; i++) {
        all[i] = all[i] != NULL ? all[i] : "";
        room += MIN(strlen(all[i]), most_of(i)) + 1;
    }
    kept = weir__alloc(room);
    if (kept == NULL)
        return NULL;
    *kept = (struct weir__audit_kept){ .users = 1 };
    to = (char *)(kept + 1);
    for (size_t i = 0; i < WEIR__AUDIT_TEXT_COUNT; i++) {
        kept->event.texts[i] = to;
        to += copy_text(to, all[i], most_of(i));
    }
    return kept;
}

void weir__audit_let_go(struct weir__audit_kept *kept)
{
    if (--kept->users == 0)
        weir__free(kept);
}

/* ---- as bytes ---- */

static void put_number(struct weir__buf *ret, const char *name, int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    weir__buf_printf(ret, "%s=%zu:%s\n", name, strlen(text), text);
}

void weir__audit_hashed(const struct weir__audit_event *event, struct weir__buf *ret)
{
    put_number(ret, "sequence", (int64_t)event->number);
    put_number(ret, "chain_started", event->began);
    put_number(ret, "event_time", event->time);
    for (size_t i = 0; i < WEIR__AUDIT_TEXT_COUNT; i++)
        weir__buf_printf(ret, "%s=%zu:%s\n", weir__audit_names[i], strlen(event->texts[i]), event->texts[i]);
}

void weir__audit_print(const struct weir__audit_event *event, struct weir_json_out *json)
{
    char id[64];

    snprintf(id, sizeof(id), "%.40s-%" PRIu64, event->texts[WEIR__AUDIT_CHAIN], event->number);
    weir_json_begin_object(json);
    weir__json_member_text(json, "event_id", id);
    weir__json_member_int(json, "sequence", (int64_t)event->number);
    weir__json_member_int(json, "chain_started", event->began);
    weir__json_member_int(json, "event_time", event->time);
    for (size_t i = 0; i < WEIR__AUDIT_TEXT_COUNT; i++) {
        weir__json_member_text(json, weir__audit_names[i], event->texts[i]);
    }
    weir__json_member_text(json, "event_hash", event->hash);
    weir_json_end_object(json);
}
