/* failures.c: what happens to a record that fails: dead letter, dropped and counted, or the task fails. */
#include "framework/json/json.h"
#include "framework/task/internal.h"

enum weir__handler weir__handler_of(const char *word)
{
    if (strcmp(word, "fail") == 0)
        return WEIR__FAIL;
    return strcmp(word, "continue") == 0 ? WEIR__CONTINUE : WEIR__DEAD_LETTER;
}

int weir__fail_here(struct weir__live *live, int code, const char *format, ...)
{
    struct weir_error *error = &live->task->error;
    va_list            args;

    error->code = code;
    snprintf(error->where, sizeof(error->where), "%s", live->node->name);
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return code;
}

int weir__tell_failure(struct weir__task *task, int code, struct weir_error *reterr)
{
    if (task->error.code != code)
        weir__fail(&task->error, code, task->config.plan->topology->name, "%s", weir_code_text(code));
    if (reterr != NULL)
        *reterr = task->error;
    return code;
}

static struct weir_text tenant_of(struct weir__task *task)
{
    weir_tenant            *ask = task->config.plan->topology->tenant;
    const struct weir__raw *raw = task->current;
    struct weir_text        tenant = { 0 };

    if (ask != NULL && raw != NULL)
        ask(&task->record, raw->topic, raw->key, raw->value, &tenant);
    return tenant;
}

static int send_letter(struct weir__task *task, const struct weir__dead_letter *letter)
{
    struct weir_json_out json = { 0 };
    struct weir__raw     raw = { .topic = task->config.plan->dead_letters,
                                 .partition = -1,
                                 .timestamp = letter->last_failed,
                                 .key = letter->source->key };
    int                  err = weir__dead_letter_print(letter, &json);

    raw.value = BYTES(json.buf.data, json.buf.size);
    if (err == WEIR_OK)
        err = weir__send_off(task, &raw, WEIR__TO_DEAD_LETTERS);
    weir__json_out_fini(&json);
    return err;
}

/* Its topic, partition and offset still lead to the record. */
static int send_without_bytes(struct weir__task *task, struct weir__dead_letter *letter)
{
    struct weir__raw bare = *letter->source;
    char             message[sizeof(task->error.text) + 64];

    bare.key = bare.value = NO_BYTES;
    bare.header_count = 0;
    snprintf(message, sizeof(message), "%s; its bytes are left out: they are too many for a dead letter",
             letter->message);
    letter->source = &bare;
    letter->message = message;
    letter->bare = true;
    return send_letter(task, letter);
}

static int send_whole_or_bare(struct weir__task *task, struct weir__dead_letter *letter)
{
    int err = task->bare_letter ? WEIR_TOO_LARGE : send_letter(task, letter);

    return err == WEIR_TOO_LARGE ? send_without_bytes(task, letter) : err;
}

int weir__dead_letter(struct weir__task *task, const char *node, int code, const char *reason, const char *text)
{
    const struct weir__plan *plan = task->config.plan;
    const struct weir__raw   none = { .partition = -1, .offset = -1, .timestamp = -1 };
    int64_t                  now = task->config.now(task->config.now_arg);
    struct weir__dead_letter letter = { .source = task->current != NULL ? task->current : &none,
                                        .topology = plan->topology->name,
                                        .node = node,
                                        .code = reason,
                                        .message = text,
                                        .tenant = tenant_of(task),
                                        .attempts = 1,
                                        .first_failed = now,
                                        .last_failed = now };
    int                      err;

    if (plan->dead_letters == NULL)
        return code;
    err = weir__fold_letter(task, &letter);
    if (err == 0)
        err = send_whole_or_bare(task, &letter);
    if (err >= 0)
        weir__count_letter(task, node, reason);
    return err < 0 ? err : WEIR_OK;
}

/* Gives the failure its words, once, where the node itself had none. */
static void describe_failure(struct weir__live *live, int code)
{
    struct weir__task *task = live->task;

    if (task->error.code != code || task->error.text[0] == '\0')
        weir__fail_here(live, code, "%s", weir_code_text(code));
    if (task->current != NULL) {
        size_t size = strlen(task->error.text);

        snprintf(task->error.text + size, sizeof(task->error.text) - size, " (record %s-%d@%lld)",
                 task->current->topic, task->current->partition, (long long)task->current->offset);
    }
}

bool weir__starved(const struct weir__task *task)
{
    bool any = task->record.starved;

    for (size_t i = 0; i < task->queue_count; i++)
        any |= task->queues[i].arena.starved;
    return any;
}

int weir__handle_failure(struct weir__live *live, int code, enum weir__handler handler)
{
    struct weir__task *task = live->task;
    int                err;

    if (task->failing)
        return code;
    if (weir__starved(task))
        code = WEIR_NO_MEMORY;
    describe_failure(live, code);
    if (weir_code_scope(code) == WEIR_SCOPE_RECORD && handler != WEIR__FAIL) {
        err = handler == WEIR__CONTINUE
                  ? WEIR_OK
                  : weir__dead_letter(task, live->node->name, code, weir_code_name(code), task->error.text);
        if (err == WEIR_OK) {
            weir__drop_record(task, weir_code_name(code));
            task->error.code = WEIR_OK;
            return WEIR_OK;
        }
        if (err != code)
            code = weir__fail_here(live, err, "a dead letter could not be sent: %s", weir_code_text(err));
    }
    task->failing = true;
    return code;
}
