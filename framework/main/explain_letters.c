/* explain_letters.c: dead letters about a key: how many of each kind, and what the last one says. */
#include "framework/main/explain.h"

enum { KINDS_MOST = 32 };

struct kind {
    char    stage[120], code[60], message[300], source[120];
    size_t  count;
    int64_t last; /* failed at, ms */
};

struct letters {
    struct weir__explain    *explain;
    const struct weir_bytes *keys;
    size_t                   key_count;
    struct weir_arena        scratch;
    struct kind              kinds[KINDS_MOST];
    size_t                   count, more; /* more: of kinds that had no room */
    int64_t                  folded;      /* letters that say nothing of keys */
};

static struct weir_text text_of(const struct weir_json *letter, const char *name)
{
    struct weir_text text = { 0 };

    (void)weir_json_text(weir_json_get(letter, name), &text);
    return text;
}

static int64_t number_of(const struct weir_json *letter, const char *name)
{
    int64_t number = -1;

    (void)weir_json_int64(weir_json_get(letter, name), &number);
    return number;
}

static bool is_about(struct letters *letters, const struct weir_json *letter)
{
    const struct weir__explaining *words = letters->explain->words;
    struct weir_text               encoded = text_of(letter, "key_base64");
    struct weir_bytes              key;

    if (encoded.data == NULL || weir__base64_decode(encoded, &letters->scratch, &key) < 0)
        return false;
    for (size_t i = 0; i < letters->key_count; i++)
        if (weir__bytes_equal(key, letters->keys[i]))
            return true;
    return words->about != NULL && words->about(letters->explain->key, key, text_of(letter, "tenant"));
}

static void put_text(char *to, size_t size, struct weir_text text)
{
    snprintf(to, size, "%.*s", (int)MIN(text.size, size - 1), text.data != NULL ? text.data : "");
}

static struct kind *kind_of(struct letters *letters, const struct weir_json *letter)
{
    struct kind wanted = { 0 };

    put_text(wanted.stage, sizeof(wanted.stage), text_of(letter, "stage"));
    put_text(wanted.code, sizeof(wanted.code), text_of(letter, "code"));
    for (size_t i = 0; i < letters->count; i++)
        if (strcmp(letters->kinds[i].stage, wanted.stage) == 0 && strcmp(letters->kinds[i].code, wanted.code) == 0)
            return &letters->kinds[i];
    if (letters->count == KINDS_MOST)
        return NULL;
    letters->kinds[letters->count] = wanted;
    return &letters->kinds[letters->count++];
}

static void count_letter(struct letters *letters, const struct weir_json *letter)
{
    struct kind     *kind = kind_of(letters, letter);
    struct weir_text topic = text_of(letter, "source_topic");

    letters->explain->found++;
    if (kind == NULL) {
        letters->more++;
        return;
    }
    kind->count++;
    if (number_of(letter, "last_failed") < kind->last)
        return;
    kind->last = number_of(letter, "last_failed");
    put_text(kind->message, sizeof(kind->message), text_of(letter, "message"));
    snprintf(kind->source, sizeof(kind->source), "%.*s/%lld offset %lld", (int)MIN(topic.size, 80), topic.data,
             (long long)number_of(letter, "partition"), (long long)number_of(letter, "offset"));
}

/* Of how many letters a folded one is; 0: it is a letter like others. */
static int64_t folded_in(const struct weir_json *letter)
{
    return weir_json_get(letter, "offsets") != NULL ? MAX(number_of(letter, "count"), 0) : 0;
}

static int take_letter(void *arg, const struct weir__raw *raw, struct weir_error *reterr)
{
    struct letters         *letters = arg;
    const struct weir_json *letter;
    struct weir_text        text = { raw->value.data, raw->value.size };

    (void)reterr;
    weir__arena_reset(&letters->scratch);
    if (raw->value.data == NULL || weir_json_parse(&letters->scratch, text, &letter, NULL) != WEIR_OK)
        return WEIR_OK;
    letters->folded += folded_in(letter);
    if (is_about(letters, letter))
        count_letter(letters, letter);
    return WEIR_OK;
}

static void put_kinds(const struct letters *letters, const char *topic)
{
    struct weir__buf *out = &letters->explain->out;

    if (letters->count + letters->more > 0)
        weir__buf_printf(out, "  dead letters of it in %s\n", topic);
    for (size_t i = 0; i < letters->count; i++) {
        const struct kind *kind = &letters->kinds[i];

        weir__buf_printf(out, "    %zu %s at %s; the last one, %s, at ", kind->count, kind->code, kind->stage,
                         kind->source);
        weir__explain_time(kind->last, out);
        weir__buf_printf(out, ": %s\n", kind->message);
    }
    if (letters->more > 0)
        weir__buf_printf(out, "    %zu of other kinds\n", letters->more);
    if (letters->folded > 0)
        weir__buf_printf(out,
                         "  %lld more in %s are folded and name no keys, only offsets: \"dlq list\" shows them\n",
                         (long long)letters->folded, topic);
}

int weir__explain_letters(struct weir__explain *explain, const char *topic, const struct weir_bytes *keys,
                          size_t count, struct weir_error *reterr)
{
    struct letters *letters = weir__zalloc(sizeof(*letters));
    int32_t         partitions = 0;
    int             err;

    if (letters == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "explain", "out of memory");
    letters->explain = explain;
    letters->keys = keys;
    letters->key_count = count;
    err = explain->engine->partitions(explain->log, topic, weir__explain_call_by(explain), &partitions);
    err = err == WEIR_NOTFOUND ? WEIR_OK : err;
    for (int32_t i = 0; err == WEIR_OK && i < partitions; i++)
        err = weir__read_partition(explain->engine, explain->log, (struct weir__tp){ topic, i }, 0, take_letter,
                                   letters, reterr);
    if (err == WEIR_OK)
        put_kinds(letters, topic);
    weir__arena_fini(&letters->scratch);
    weir__free(letters);
    return err;
}
