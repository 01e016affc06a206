/* dlq_filter.c: which dead letters a command means. */
#include "framework/main/dlq.h"

/* ---- read ---- */

static int fail_place(const char *flag, const char *text, struct weir_error *reterr)
{
    return weir__fail(reterr, WEIR_BAD_ARGUMENT, flag,
                      "\"%.100s\" is no place: write a time such as 2025-01-02T14:30:00Z, an epoch, or "
                      "TOPIC:PARTITION:OFFSET or TOPIC:PARTITION:OFFSET-OFFSET",
                      text);
}

/* Cuts the last ":word" off. NULL: there is none. */
static char *cut_word(char *text)
{
    char *colon = strrchr(text, ':');

    if (colon == NULL || colon == text)
        return NULL;
    *colon = '\0';
    return colon + 1;
}

/* "TOPIC:PARTITION:OFFSET[-OFFSET]" */
static bool parse_place(char *text, struct weir__dlq_place *ret)
{
    char   *offsets = cut_word(text), *partition = offsets != NULL ? cut_word(text) : NULL, *dash;
    int64_t number;

    if (partition == NULL || weir__parse_int64(partition, &number) < 0 || number < 0 || number > INT32_MAX)
        return false;
    ret->tp = (struct weir__tp){ text, (int32_t)number };
    dash = strchr(offsets, '-');
    if (dash != NULL)
        *dash = '\0';
    if (weir__parse_int64(offsets, &ret->offsets.first) < 0 || ret->offsets.first < 0)
        return false;
    ret->offsets.last = ret->offsets.first;
    return dash == NULL ||
           (weir__parse_int64(dash + 1, &ret->offsets.last) == WEIR_OK && ret->offsets.last >= ret->offsets.first);
}

static int read_from(struct weir__dlq_filter *filter, const char *text, struct weir_error *reterr)
{
    char *copy = weir__arena_printf(&filter->arena, "%s", text);

    if (copy == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "--from", "out of memory");
    if (weir__read_time(text, &filter->from) || weir__read_epoch(text, &filter->from))
        return WEIR_OK;
    if (!parse_place(copy, &filter->places[filter->place_count]))
        return fail_place("--from", text, reterr);
    filter->place_count++;
    return WEIR_OK;
}

static int read_to(struct weir__dlq_filter *filter, const char *text, bool redrive, struct weir_error *reterr)
{
    if (weir__read_time(text, &filter->until) || weir__read_epoch(text, &filter->until))
        return WEIR_OK;
    if (!redrive || !weir__legal_name(text))
        return weir__fail(reterr, WEIR_BAD_ARGUMENT, "--to",
                          "\"%.100s\" is no time%s: write 2025-01-02T14:30:00Z or an epoch", text,
                          redrive ? ", nor the name of a topic" : "");
    filter->to = text;
    return WEIR_OK;
}

int weir__dlq_filter_read(const struct weir__args *args, bool redrive, struct weir__dlq_filter *ret,
                          struct weir_error *reterr)
{
    int err = WEIR_OK;

    *ret = (struct weir__dlq_filter){ .stage = weir__args_value(args, "stage", NULL),
                                      .code = weir__args_value(args, "code", NULL),
                                      .tenant = weir__args_value(args, "tenant", NULL),
                                      .from = INT64_MIN,
                                      .until = INT64_MAX };
    ret->places = weir_arena_alloc(&ret->arena, sizeof(*ret->places) * (args->given_count + 1));
    if (ret->places == NULL)
        return weir__fail(reterr, WEIR_NO_MEMORY, "dlq", "out of memory");
    for (size_t i = 0; err == WEIR_OK && i < args->given_count; i++) {
        if (strcmp(args->given[i].flag->name, "from") == 0)
            err = read_from(ret, args->given[i].value, reterr);
        else if (strcmp(args->given[i].flag->name, "to") == 0)
            err = read_to(ret, args->given[i].value, redrive, reterr);
    }
    return err;
}

void weir__dlq_filter_fini(struct weir__dlq_filter *filter) { weir__arena_fini(&filter->arena); }

bool weir__dlq_filter_given(const struct weir__dlq_filter *filter)
{
    return filter->stage != NULL || filter->code != NULL || filter->tenant != NULL || filter->place_count > 0 ||
           filter->from != INT64_MIN || filter->until != INT64_MAX;
}

/* ---- asked ---- */

static bool same(struct weir_text text, const char *wanted)
{
    return wanted == NULL ||
           (text.data != NULL && weir__bytes_equal(BYTES(text.data, text.size), BYTES(wanted, strlen(wanted))));
}

static bool is_stage(struct weir_text stage, const char *wanted)
{
    const char *slash = stage.data != NULL ? memchr(stage.data, '/', stage.size) : NULL;
    size_t      before = slash != NULL ? (size_t)(slash - stage.data) : 0;

    return same(stage, wanted) ||
           (slash != NULL && (same((struct weir_text){ stage.data, before }, wanted) ||
                              same((struct weir_text){ slash + 1, stage.size - before - 1 }, wanted)));
}

static bool is_at(const struct weir__dlq_place *place, const char *topic, int32_t partition)
{
    return place->tp.partition == partition && strcmp(place->tp.topic, topic) == 0;
}

/* What of the runs lies in the place's offsets. */
static int add_common(const struct weir__runs *runs, const struct weir__run *within, struct weir__runs *ret)
{
    int err = WEIR_OK;

    for (size_t i = 0; err == WEIR_OK && i < runs->count; i++) {
        int64_t first = MAX(runs->items[i].first, within->first), last = MIN(runs->items[i].last, within->last);

        if (first <= last)
            err = weir__runs_add(ret, first, last);
    }
    return err;
}

/* WEIR_NO_MEMORY leaves out what is then not meant: nothing is sent by mistake. */
static bool keep_meant(const struct weir__dlq_filter *filter, const struct weir__raw *at,
                       struct weir__read_letter *letter)
{
    struct weir__runs meant = { 0 };

    for (size_t i = 0; i < filter->place_count; i++) {
        const struct weir__dlq_place *place = &filter->places[i];

        if (is_at(place, at->topic, at->partition) && at->offset >= place->offsets.first &&
            at->offset <= place->offsets.last) {
            weir__runs_fini(&meant);
            return true;
        }
        if (!letter->none && is_at(place, letter->source.topic, letter->source.partition) &&
            add_common(&letter->offsets, &place->offsets, &meant) < 0)
            break;
    }
    weir__runs_fini(&letter->offsets);
    letter->offsets = meant;
    return meant.count > 0;
}

bool weir__dlq_filter_takes(const struct weir__dlq_filter *filter, const struct weir__raw *at,
                            struct weir__read_letter *letter)
{
    if (!is_stage(letter->stage, filter->stage) || !same(letter->code, filter->code) ||
        !same(letter->tenant, filter->tenant) || letter->last_failed < filter->from ||
        letter->first_failed >= filter->until)
        return false;
    return filter->place_count == 0 || keep_meant(filter, at, letter);
}
