/* read.c: a story's file as steps. */
#include "test/scenario/flow.h"

/* How many words each verb takes; what is left of the line is the step's rest. */
static const struct grammar {
    const char *verb;
    size_t      words;
    bool        rest;
} grammar[] = {
    { "topology", 1, false }, { "clock", 1, false }, { "set", 0, true },      { "no-crash", 0, true },
    { "watch", 1, false },    { "put", 3, true },    { "in", 3, true },       { "pass", 1, false },
    { "crash", 0, false },    { "epoch", 1, false }, { "finish", 0, false },  { "close", 0, false },
    { "fails", 1, true },     { "out", 3, true },    { "nothing", 0, false }, { "sent", 3, true },
    { "store", 3, true },     { "rows", 2, false },  { "expect", 0, true },   { "describe", 0, false },
};

static const struct grammar *grammar_of(const char *verb)
{
    for (size_t i = 0; i < ARRAY_SIZE(grammar); i++)
        if (strcmp(grammar[i].verb, verb) == 0)
            return &grammar[i];
    return NULL;
}

/* Where the word at text ends: at a blank outside of strings and brackets. */
static size_t word_size(const char *text)
{
    size_t depth = 0, i = 0;
    bool   quoted = false;

    for (; text[i] != '\0' && (quoted || depth > 0 || text[i] != ' '); i++) {
        if (quoted && text[i] == '\\' && text[i + 1] != '\0')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && (text[i] == '{' || text[i] == '['))
            depth++;
        else if (!quoted && depth > 0 && (text[i] == '}' || text[i] == ']'))
            depth--;
    }
    return i;
}

static char *take_word(char **at)
{
    char  *word = *at + strspn(*at, " ");
    size_t size = word_size(word);

    *at = word + size;
    if (**at == ' ')
        *(*at)++ = '\0';
    return word;
}

static bool fail(const struct flow *flow, size_t line, struct weir__buf *complaint, const char *text,
                 const char *word)
{
    weir__buf_printf(complaint, "%s:%zu: %s%s%s", flow->path, line, text, word != NULL ? ": " : "",
                     word != NULL ? word : "");
    return false;
}

static bool read_step(struct flow *flow, size_t line, char *text, struct weir__buf *complaint)
{
    struct flow_step        *step;
    const struct grammar    *rule;
    static const char *const kinds[] = { "a word is missing after", "too much after" };

    CHECK(GROW(flow->steps, flow->capacity, flow->count) == WEIR_OK);
    step = &flow->steps[flow->count++];
    *step = (struct flow_step){ .line = line };
    step->verb = take_word(&text);
    rule = grammar_of(step->verb);
    if (rule == NULL)
        return fail(flow, line, complaint, "no such verb", step->verb);
    for (size_t i = 0; i < rule->words; i++) {
        step->words[i] = take_word(&text);
        if (step->words[i][0] == '\0')
            return fail(flow, line, complaint, kinds[0], step->verb);
    }
    step->rest = text + strspn(text, " ");
    if (!rule->rest && step->rest[0] != '\0')
        return fail(flow, line, complaint, kinds[1], step->verb);
    return true;
}

/* Adds a line of text to the step before it, which must be a description. */
static bool read_quoted(struct flow *flow, size_t line, const char *text, struct weir__buf *complaint)
{
    struct flow_step *step = flow->count > 0 ? &flow->steps[flow->count - 1] : NULL;

    if (step == NULL || strcmp(step->verb, "describe") != 0)
        return fail(flow, line, complaint, "a line after \"|\" belongs below describe", NULL);
    text += text[0] == ' ';
    step->rest = weir__arena_printf(&flow->arena, "%s%s\n", step->rest, text);
    return true;
}

static void cut_blanks(char *line)
{
    size_t size = strlen(line);

    while (size > 0 && strchr(" \t\r", line[size - 1]) != NULL)
        line[--size] = '\0';
}

static bool read_lines(struct flow *flow, char *text, struct weir__buf *complaint)
{
    size_t number = 0;
    bool   good = true;

    for (char *line; good && (line = strsep(&text, "\n")) != NULL;) {
        number++;
        cut_blanks(line);
        line += strspn(line, " ");
        if (line[0] == '|')
            good = read_quoted(flow, number, line + 1, complaint);
        else if (line[0] != '\0' && line[0] != '#')
            good = read_step(flow, number, line, complaint);
    }
    return good;
}

bool flow_read(const char *path, struct flow *ret, struct weir__buf *complaint)
{
    AUTO(weir__buf_fini) struct weir__buf text = { 0 };
    struct weir_error                     error = { 0 };

    *ret = (struct flow){ .path = path };
    if (weir__read_file(path, &text, &error) < 0) {
        weir__buf_printf(complaint, "%s: %s", error.where, error.text);
        return false;
    }
    weir__buf_putc(&text, '\0');
    return read_lines(ret, weir__arena_copy(&ret->arena, text.data, text.size), complaint);
}

void flow_free(struct flow *flow)
{
    weir__free(flow->steps);
    weir__arena_fini(&flow->arena);
}

bool flow_crashes(const struct flow *flow)
{
    for (size_t i = 0; i < flow->count; i++)
        if (strcmp(flow->steps[i].verb, "no-crash") == 0)
            return false;
    return true;
}
