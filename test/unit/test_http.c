/* test_http.c: the HTTP door over real sockets, in front of applications that run on the embedded log in memory. */
#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "framework/declare.h"
#include "framework/http/http.h"
#include "framework/json.h"
#include "statestores/engines.h"
#include "statestores/statestores.h"
#include "test/run.h"

/* ---- a topology with endpoints, and a verb that can be held up ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool     at_gate;

static int pass_gate(struct weir_context *ctx, const struct weir_record *rec)
{
    atomic_store(&at_gate, true);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return weir_forward(ctx, rec->key, rec->value);
}

static int echo(struct weir_request *request, struct weir_reply *reply)
{
    struct weir_json_out *json = weir_reply_json(reply);
    const char           *text;
    int                   code = weir_request_need(request, reply, "text", &text);

    if (code < 0)
        return code;
    weir_json_begin_object(json);
    weir_json_name(json, "path");
    weir_json_put_string(json, weir_request_path(request));
    weir_json_name(json, "text");
    weir_json_put_string(json, text);
    weir_json_name(json, "other");
    weir_json_put_string(json, weir_request_query(request, "other one"));
    weir_json_name(json, "arg");
    weir_json_put_string(json, weir_request_arg(request));
    weir_json_end_object(json);
    return WEIR_OK;
}

static int fail_with(struct weir_request *request, struct weir_reply *reply)
{
    (void)reply;
    return *(const int *)weir_request_arg(request);
}

#define LARGE ((size_t)3 << 20)

static int large(struct weir_request *request, struct weir_reply *reply)
{
    char *text = weir_arena_alloc(weir_request_arena(request), LARGE);

    memset(text, 'x', LARGE);
    weir_json_put_text(weir_reply_json(reply), (struct weir_text){ text, LARGE });
    return WEIR_OK;
}

static int word_of(struct weir_context *ctx, const struct weir_record *rec, const void **ret_key)
{
    (void)ctx;
    *ret_key = rec->value;
    return WEIR_OK;
}

static const int not_there = WEIR_NOTFOUND, later = WEIR_AGAIN, unreadable = WEIR_UNREADABLE, broken = WEIR_IO;

/* clang-format off */
SOURCE(words,   "words", weir_string, weir_string);
STEP  (passed,  pass_gate, .key = weir_string, .value = weir_string);
REKEY (by_word, word_of, weir_string);
KEYS  (tally_s, weir_string, weir_int64);
COUNT (tally,   tally_s);
SINK  (out,     "out", weir_string, weir_int64);
static TOPOLOGY(counting, .paths = PATHS(PATH(words, passed, by_word, tally, out)),
    .endpoints = ENDPOINTS(ENDPOINT("/echo", echo, .arg = "x"), ENDPOINT("/large", large),
                           ENDPOINT("/none", fail_with, .arg = &not_there), ENDPOINT("/later", fail_with, .arg = &later),
                           ENDPOINT("/odd", fail_with, .arg = &unreadable), ENDPOINT("/broken", fail_with, .arg = &broken)));

SOURCE(other_in,  "words", weir_string, weir_string);
SINK  (other_out, "others", weir_string, weir_string);
static TOPOLOGY(copying, .paths = PATHS(PATH(other_in, other_out)));
/* clang-format on */

/* ---- the bench ---- */

/* The embedded log, but for commits, which have no outcome while they are held. */
static struct weir__log_engine              held;
static const struct weir__log_engine *const engine = &held;
static atomic_bool                          holds_commits;

static int held_commit(struct weir__producer *producer, const char *group, struct weir__consumer *consumer,
                       int64_t token, const struct weir__offset *offsets, size_t count, int64_t deadline)
{
    if (atomic_load(&holds_commits)) {
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        return WEIR_AGAIN;
    }
    return weir__embedded_engine.commit(producer, group, consumer, token, offsets, count, deadline);
}

static struct weir__config  *settings;
static struct weir__metrics *metrics;
static struct weir__log     *logs;
static struct weir__app     *apps[2];
static struct weir__http    *http;
static struct weir_error     err;
static int                   port;

static void set(const char *key, const char *value)
{
    ck_assert_msg(weir__config_set(settings, key, value, "test", &err) == WEIR_OK, "%s", err.text);
}

static void set_up(void)
{
    const char             *names[] = { "counting", "copying", NULL };
    struct weir__log_config config = { .quirks = true };

    atomic_store(&at_gate, false);
    atomic_store(&holds_commits, false);
    held = weir__embedded_engine;
    held.commit = held_commit;
    weir__log_setup(WEIR__ERROR, false, open("/dev/null", O_WRONLY));
    ck_assert_int_eq(weir__config_new(names, NULL, &settings, NULL), WEIR_OK);
    ck_assert_int_eq(weir__metrics_new(&metrics), WEIR_OK);
    ck_assert_int_eq(engine->open(&config, &logs, &err), WEIR_OK);
    set("commit.interval.ms", "1");
    set("threads", "2");
    set("http.port", "0");
    http = NULL;
    apps[0] = apps[1] = NULL;
}

static int start(void)
{
    static const struct weir_topology *const topologies[] = { &counting, &copying };
    struct weir__http_config                 doors = {
                        .apps = apps, .count = ARRAY_SIZE(apps), .settings = settings, .metrics = metrics, .declared = true
    };
    int code;

    for (size_t i = 0; i < ARRAY_SIZE(apps); i++) {
        struct weir__app_config config = { .topology = topologies[i],
                                           .settings = settings,
                                           .engines = weir_engines,
                                           .engine = engine,
                                           .log = logs,
                                           .metrics = metrics };

        ck_assert_msg(weir__app_new(&config, &apps[i], &err) == WEIR_OK, "%s", err.text);
    }
    code = weir__http_start(&doors, &http, &err);
    port = weir__http_port(http, "counting");
    for (size_t i = 0; i < ARRAY_SIZE(apps); i++)
        ck_assert_int_eq(weir__app_start(apps[i], &err), WEIR_OK);
    return code;
}

static void tear_down(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(apps); i++)
        if (apps[i] != NULL)
            ck_assert_int_eq(weir__app_stop(apps[i], &err), WEIR_OK);
    weir__http_stop(http);
    for (size_t i = 0; i < ARRAY_SIZE(apps); i++)
        weir__app_free(apps[i]);
    engine->close(logs);
    weir__metrics_free(metrics);
    weir__config_free(settings);
}

static void send_words(int count)
{
    struct weir__raw       raw = { .topic = "words", .partition = -1, .timestamp = 1000, .value = BYTES("a", 1) };
    struct weir__producer *producer;

    ck_assert_int_eq(engine->producer(logs, "test", engine->now(logs) + 1000, &producer, &err), WEIR_OK);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(engine->send(producer, &raw, 0), WEIR_OK);
    ck_assert_int_eq(weir__embedded_engine.commit(producer, NULL, NULL, 0, NULL, 0, engine->now(logs) + 1000),
                     WEIR_OK);
    engine->producer_close(producer);
}

/* ---- a client ---- */

static int dial_port(int to)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)to),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int                fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static int dial(void) { return dial_port(port); }

static void say(int fd, const char *text)
{
    size_t size = strlen(text);

    while (size > 0) {
        ssize_t done = send(fd, text, size, MSG_NOSIGNAL);

        if (done < 0)
            return; /* they have heard enough: what they said counts */
        text += done;
        size -= (size_t)done;
    }
}

struct answer {
    int               status; /* 0 = the connection ended before one */
    struct weir__buf  head, body;
    struct weir_arena arena;
};

static void drop(struct answer *answer)
{
    weir__buf_fini(&answer->head);
    weir__buf_fini(&answer->body);
    weir__arena_fini(&answer->arena);
}

static size_t length_in(const struct weir__buf *head)
{
    const char *at = strstr(head->data, "Content-Length: ");

    ck_assert_ptr_nonnull(at);
    return strtoul(at + strlen("Content-Length: "), NULL, 10);
}

static struct answer hear_one(int fd, bool with_body)
{
    struct answer answer = { 0 };
    char          c;

    while (recv(fd, &c, 1, 0) == 1) {
        weir__buf_putc(&answer.head, c);
        if (answer.head.size >= 4 && memcmp(answer.head.data + answer.head.size - 4, "\r\n\r\n", 4) == 0)
            break;
    }
    if (answer.head.size == 0)
        return answer;
    weir__buf_putc(&answer.head, '\0');
    ck_assert_int_eq(sscanf(answer.head.data, "HTTP/1.1 %d ", &answer.status), 1);
    for (size_t left = with_body ? length_in(&answer.head) : 0; left > 0;) {
        char    some[65536];
        ssize_t size = recv(fd, some, MIN(left, sizeof(some)), 0);

        ck_assert_int_gt(size, 0);
        weir__buf_add(&answer.body, some, (size_t)size);
        left -= (size_t)size;
    }
    return answer;
}

static struct answer hear(int fd) { return hear_one(fd, true); }

static bool is_over(int fd)
{
    char c;

    return recv(fd, &c, 1, 0) <= 0;
}

static const struct weir_json *json_of(struct answer *answer)
{
    const struct weir_json *json;

    ck_assert_msg(weir_json_parse(&answer->arena, (struct weir_text){ answer->body.data, answer->body.size }, &json,
                                  &err) == WEIR_OK,
                  "%s: %.*s", err.text, (int)answer->body.size, answer->body.data);
    return json;
}

static void ask(int fd, const char *path)
{
    char text[512];

    snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: here\r\n\r\n", path);
    say(fd, text);
}

static struct answer get_at(int to, const char *path)
{
    int           fd = dial_port(to);
    struct answer answer;

    ask(fd, path);
    answer = hear(fd);
    close(fd);
    return answer;
}

static struct answer get(const char *path) { return get_at(port, path); }

static int status_of(const char *path)
{
    struct answer answer = get(path);
    int           status = answer.status;

    drop(&answer);
    return status;
}

static void expect_text(const struct weir_json *json, const char *name, const char *want)
{
    struct weir_text text;

    ck_assert_int_eq(weir_json_text(weir_json_get(json, name), &text), WEIR_OK);
    ck_assert_msg(text.size == strlen(want) && memcmp(text.data, want, text.size) == 0, "%s: %.*s instead of %s",
                  name, (int)text.size, text.data, want);
}

/* An error in the one shape. */
static void expect_error(struct answer *answer, int status)
{
    const struct weir_json *json;
    struct weir_text        text;
    int64_t                 number;

    ck_assert_int_eq(answer->status, status);
    json = json_of(answer);
    ck_assert_int_eq(weir_json_int64(weir_json_get(json, "status"), &number), WEIR_OK);
    ck_assert_int_eq(number, status);
    ck_assert_int_eq(weir_json_text(weir_json_get(json, "error"), &text), WEIR_OK);
    ck_assert_uint_gt(text.size, 0);
}

/* ---- tests ---- */

/* clang-format off */
static const struct { const char *text; int status; } refused[] = {
    { "nonsense\r\n\r\n", 400 },
    { "GET / HTTP/1.1\nHost: x\n\n", 400 },
    { "GET / HTTP/1.1\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nHost: x\r\nA: \x01\r\n\r\n", 400 },
    { "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET  HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", 400 },
    { "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400 },
    { "GET / FTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505 },
    { "G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400 },
    { "GET nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400 },
    { "GET /a%2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400 },
    { "GET /a%00b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400 },
    { "GET /echo?text=%g0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", 413 },
    { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501 },
};
/* clang-format on */

START_TEST(refuses_what_is_malformed_and_closes)
{
    struct answer answer;
    int           fd;

    ck_assert_int_eq(start(), WEIR_OK);
    fd = dial();
    say(fd, refused[_i].text);
    answer = hear(fd);
    expect_error(&answer, refused[_i].status);
    ck_assert(is_over(fd));
    close(fd);
    drop(&answer);
    ck_assert_int_eq(status_of("/health/live"), 200);
}
END_TEST

/* A head of about so many bytes, in one header or in many, or in the path. */
static void say_much(int fd, int form)
{
    static char filler[5000];

    memset(filler, 'x', sizeof(filler) - 1);
    say(fd, "GET /");
    if (form == 0)
        say(fd, filler);
    else
        say(fd, " HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; form == 1 && i < 101; i++)
        say(fd, "X: y\r\n");
    if (form == 2) {
        say(fd, "Y: ");
        say(fd, filler);
    }
    if (form != 0)
        say(fd, "\r\n\r\n");
}

START_TEST(refuses_heads_that_are_too_long)
{
    static const int statuses[] = { 414, 431, 431 };
    struct answer    answer;
    int              fd;

    set("http.max.head.bytes", "4k");
    ck_assert_int_eq(start(), WEIR_OK);
    fd = dial();
    say_much(fd, _i);
    answer = hear(fd);
    expect_error(&answer, statuses[_i]);
    close(fd);
    drop(&answer);
}
END_TEST

START_TEST(answers_in_the_order_asked)
{
    static const char *const paths[] = { "/health/live", "/nope", "/metrics" };
    static const int         statuses[] = { 200, 404, 200 };
    struct answer            answer;
    int                      fd;

    ck_assert_int_eq(start(), WEIR_OK);
    fd = dial();
    for (int round = 0; round < 50; round++)
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
            ask(fd, paths[i]);
    for (int i = 0; i < 150; i++) {
        answer = hear(fd);
        ck_assert_int_eq(answer.status, statuses[i % 3]);
        drop(&answer);
    }
    close(fd);
}
END_TEST

START_TEST(takes_requests_byte_by_byte_and_by_halves)
{
    static const char text[] = "\r\n\r\nPOST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
                               "HEAD http://here/health/live?x HTTP/1.1\r\nhOST: x\r\n\r\n"
                               "GET /health/live HTTP/1.0\r\n\r\n";
    struct answer     answer;
    int               fd;

    ck_assert_int_eq(start(), WEIR_OK);
    fd = dial();
    for (size_t i = 0; i + 1 < sizeof(text); i++)
        say(fd, (char[]){ text[i], '\0' });
    answer = hear(fd);
    expect_error(&answer, 405);
    ck_assert_ptr_nonnull(strstr(answer.head.data, "Allow: GET, HEAD\r\n"));
    drop(&answer);
    answer = hear_one(fd, false);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_uint_eq(length_in(&answer.head), strlen("{\"alive\":true}"));
    drop(&answer);
    answer = hear(fd);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_ptr_nonnull(strstr(answer.head.data, "Connection: close\r\n"));
    ck_assert(is_over(fd));
    close(fd);
    drop(&answer);
}
END_TEST

START_TEST(answers_who_has_said_all)
{
    struct answer answer;
    int           fd;

    ck_assert_int_eq(start(), WEIR_OK);
    fd = dial();
    ask(fd, "/large");
    ask(fd, "/health/live");
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    answer = hear(fd);
    ck_assert_int_eq(answer.status, 200);
    drop(&answer);
    answer = hear(fd);
    ck_assert_int_eq(answer.status, 200);
    ck_assert(is_over(fd));
    close(fd);
    drop(&answer);
}
END_TEST

START_TEST(waits_for_who_reads_slowly)
{
    struct answer answer;
    int           fd;

    ck_assert_int_eq(start(), WEIR_OK);
    fd = dial();
    for (int i = 0; i < 8; i++)
        ask(fd, "/large");
    ck_assert_int_eq(status_of("/health/live"), 200); /* others are served meanwhile */
    for (int i = 0; i < 8; i++) {
        answer = hear(fd);
        ck_assert_int_eq(answer.status, 200);
        ck_assert_uint_eq(answer.body.size, LARGE + 2);
        drop(&answer);
    }
    close(fd);
}
END_TEST

START_TEST(gives_up_a_client_that_takes_too_long)
{
    struct answer answer;
    int           fd;

    set("http.request.timeout.ms", "50");
    ck_assert_int_eq(start(), WEIR_OK);
    fd = dial();
    say(fd, _i == 0 ? "GET / HTT" : "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123");
    answer = hear(fd);
    expect_error(&answer, 408);
    ck_assert(is_over(fd));
    close(fd);
    drop(&answer);
}
END_TEST

START_TEST(closes_idle_connections)
{
    int fd;

    set("http.idle.timeout.ms", "20");
    ck_assert_int_eq(start(), WEIR_OK);
    fd = dial();
    ck_assert(is_over(fd));
    close(fd);
}
END_TEST

START_TEST(makes_room_where_one_is_idle)
{
    struct answer answer;
    int           first, second, third;

    set("http.max.connections", "2");
    ck_assert_int_eq(start(), WEIR_OK);
    first = dial();
    ask(first, "/health/live");
    answer = hear(first);
    drop(&answer);
    second = dial();
    ask(second, "/health/live");
    answer = hear(second);
    drop(&answer);
    third = dial();
    ask(third, "/health/live");
    answer = hear(third);
    ck_assert_int_eq(answer.status, 200);
    drop(&answer);
    ck_assert(is_over(first));
    ask(second, "/health/live");
    answer = hear(second);
    ck_assert_int_eq(answer.status, 200);
    drop(&answer);
    close(first);
    close(second);
    close(third);
}
END_TEST

static int descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int  count = 0;

    ck_assert_ptr_nonnull(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

/* Descriptors are the process's: its store and its log need them. */
START_TEST(a_flood_of_connections_takes_no_more_descriptors)
{
    int  many[200], before;
    char byte;

    set("http.max.connections", "2");
    ck_assert_int_eq(start(), WEIR_OK);
    before = descriptors();
    for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
        many[i] = dial();
        say(many[i], "GET /hea");
    }
    (void)!read(many[ARRAY_SIZE(many) - 1], &byte, 1); /* it was accepted, and with it all before */
    ck_assert_int_le(descriptors(), before + (int)ARRAY_SIZE(many) + 2 + 32);
    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        close(many[i]);
}
END_TEST

START_TEST(refuses_one_too_many)
{
    struct answer answer;
    int           busy[2], fd;

    set("http.max.connections", "2");
    ck_assert_int_eq(start(), WEIR_OK);
    for (int i = 0; i < 2; i++) {
        busy[i] = dial();
        ask(busy[i], "/health/live");
        say(busy[i], "GET /hea"); /* in one go with what is answered: begun when the answer is here */
        answer = hear(busy[i]);
        drop(&answer);
    }
    do { /* the half request may still be on its way: then an idle one goes, and comes again */
        fd = dial();
        ask(fd, "/health/live");
        answer = hear(fd);
        close(fd);
        if (answer.status == 200)
            drop(&answer);
    } while (answer.status == 200);
    expect_error(&answer, 503);
    drop(&answer);
    close(busy[0]);
    close(busy[1]);
}
END_TEST

START_TEST(decodes_what_is_asked)
{
    struct answer           answer;
    const struct weir_json *json;

    ck_assert_int_eq(start(), WEIR_OK);
    answer = get("/ec%68o?text=a%2Fb+c%26%C3%A9&&other+one=&text=no");
    ck_assert_int_eq(answer.status, 200);
    json = json_of(&answer);
    expect_text(json, "path", "/echo");
    expect_text(json, "text", "a/b c&\xc3\xa9");
    expect_text(json, "other", "");
    expect_text(json, "arg", "x");
    drop(&answer);
    answer = get("/echo?other=1");
    expect_error(&answer, 400);
    expect_text(json_of(&answer), "error", "missing text");
    drop(&answer);
}
END_TEST

START_TEST(handlers_codes_are_statuses)
{
    static const char *const paths[] = { "/none", "/later", "/odd", "/broken" };
    static const int         statuses[] = { 404, 503, 400, 500 };

    ck_assert_int_eq(start(), WEIR_OK);
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        struct answer answer = get(paths[i]);

        expect_error(&answer, statuses[i]);
        drop(&answer);
    }
}
END_TEST

START_TEST(health_names_its_checks)
{
    struct answer           answer;
    const struct weir_json *json, *checks;
    int64_t                 total;

    ck_assert_int_eq(start(), WEIR_OK);
    do { /* until all have their partitions */
        answer = get("/health/ready");
        json = json_of(&answer);
        if (answer.status != 200)
            drop(&answer);
    } while (answer.status != 200);
    expect_text(json, "status", "ready");
    drop(&answer);
    answer = get("/health");
    ck_assert_int_eq(answer.status, 200);
    json = json_of(&answer);
    expect_text(json, "status", "healthy");
    ck_assert_int_eq(weir_json_get(json, "healthy")->type, WEIR_JSON_TRUE);
    ck_assert_int_eq(weir_json_int64(weir_json_get(json, "total_checks"), &total), WEIR_OK);
    ck_assert_int_eq(total, 10);
    checks = weir_json_get(json, "checks");
    expect_text(weir_json_get(checks, "counting.log"), "status", "healthy");
    expect_text(weir_json_get(checks, "copying.assignment"), "status", "healthy");
    ck_assert_ptr_nonnull(weir_json_get(weir_json_get(checks, "copying.commit"), "duration_ms"));
    drop(&answer);
}
END_TEST

START_TEST(a_held_up_verb_fails_liveness_until_it_returns)
{
    set("health.stall.ms", "200");
    pthread_mutex_lock(&gate);
    ck_assert_int_eq(start(), WEIR_OK);
    while (status_of("/health/live") != 200) /* a loaded machine may hold a thread up for longer than that */
        ;
    send_words(1);
    while (!atomic_load(&at_gate) || status_of("/health/live") == 200)
        ;
    pthread_mutex_unlock(&gate);
    while (status_of("/health/live") != 200)
        ;
}
END_TEST

/* Live, for it waits for the log; not ready, for nobody knows whose the tasks are by now. */
START_TEST(a_commit_without_outcome_is_not_ready)
{
    set("health.commit.wait.ms", "50");
    ck_assert_int_eq(start(), WEIR_OK);
    while (status_of("/health/ready") != 200)
        ;
    atomic_store(&holds_commits, true);
    send_words(1);
    while (status_of("/health/ready") != 503)
        ;
    ck_assert_int_eq(status_of("/health/live"), 200);
    atomic_store(&holds_commits, false);
    while (status_of("/health/ready") != 200)
        ;
}
END_TEST

static struct answer topology_as(const char *accept, const char *path)
{
    char          text[300];
    struct answer answer;
    int           fd = dial_port(port);

    snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: here\r\nAccept: %s\r\n\r\n", path, accept);
    say(fd, text);
    answer = hear(fd);
    close(fd);
    return answer;
}

START_TEST(a_topology_is_told_in_the_form_that_is_asked_for)
{
    static const struct {
        const char *accept, *path, *begin;
    } forms[] = {
        { "*/*", "/topology", "# counting\n" },
        { "text/html, application/json;q=0.9", "/topology", "{\"topologies\":[{\"topology\":\"counting\"" },
        { "text/vnd.graphviz", "/topology", "digraph" },
        { "text/vnd.mermaid", "/topology", "---\ntitle: \"counting\"" },
        { "application/json", "/topology?format=dot", "digraph" },
        { "text/html", "/topology?format=json&topology=copying", "{\"topologies\":[{\"topology\":\"copying\"" },
        { "*/*", "/topology?format=full", "# counting\n" },
    };
    const struct weir_json *json, *sub;
    struct answer           answer;

    ck_assert_int_eq(start(), WEIR_OK);
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        answer = topology_as(forms[i].accept, forms[i].path);
        ck_assert_int_eq(answer.status, 200);
        ck_assert_msg(answer.body.size > strlen(forms[i].begin) &&
                          memcmp(answer.body.data, forms[i].begin, strlen(forms[i].begin)) == 0,
                      "%s of %s: %.60s", forms[i].accept, forms[i].path, answer.body.data);
        drop(&answer);
    }
    answer = get("/topology?format=xml");
    expect_error(&answer, 400);
    drop(&answer);
    answer = get("/topology?format=json&topology=counting");
    json = json_of(&answer);
    json = weir_json_get(json, "topologies")->child;
    sub = weir_json_get(json, "subtopologies")->child;
    expect_text(weir_json_get(sub, "nodes")->child, "role", "source");
    expect_text(weir_json_get(sub, "nodes")->child, "name", "words");
    ck_assert_ptr_nonnull(sub->next); /* by_word repartitions */
    expect_text(weir_json_get(json, "stores")->child, "name", "tally_s");
    drop(&answer);
}
END_TEST

START_TEST(topologies_may_have_ports_of_their_own)
{
    struct answer answer;
    int           other;

    set("copying.http.port", "0");
    set("http.port", "-1");
    ck_assert_int_eq(start(), WEIR_OK);
    ck_assert_int_eq(port, 0);
    other = weir__http_port(http, "copying");
    ck_assert_int_gt(other, 0);
    answer = get_at(other, "/topology");
    ck_assert_int_eq(answer.status, 200);
    weir__buf_putc(&answer.body, '\0');
    ck_assert_ptr_nonnull(strstr(answer.body.data, "# copying\n"));
    ck_assert_ptr_null(strstr(answer.body.data, "# counting\n"));
    drop(&answer);
    answer = get_at(other, "/echo?text=x");
    expect_error(&answer, 404);
    drop(&answer);
}
END_TEST

START_TEST(says_what_is_wrong_with_a_port)
{
    char text[16];
    int  fd = socket(AF_INET, SOCK_STREAM, 0);

    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          size = sizeof(address);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(text, sizeof(text), "%d", ntohs(address.sin_port));
    set("http.port", text);
    if (_i == 1)
        set("http.address", "no address at all");
    ck_assert_int_eq(start(), _i == 0 ? WEIR_BUSY : WEIR_BAD_CONFIG);
    ck_assert_ptr_nonnull(strstr(_i == 0 ? err.where : err.text, _i == 0 ? text : "no address at all"));
    close(fd);
}
END_TEST

/* Nobody insists on a port that a topology only declares. */
START_TEST(a_declared_port_that_is_taken_gives_way)
{
    static struct weir_topology declaring;
    struct weir__http          *other;
    int                         fd = socket(AF_INET, SOCK_STREAM, 0), code;
    struct sockaddr_in          address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t                   size = sizeof(address);
    struct weir__app_config     config = {
            .topology = &declaring, .engines = weir_engines, .engine = engine, .log = logs, .metrics = metrics
    };
    struct weir__config     *plain;
    struct weir__app        *app;
    struct weir__http_config doors = { .apps = &app, .count = 1, .metrics = metrics, .declared = true };

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    ck_assert_int_eq(weir__config_new((const char *[]){ "copying", NULL }, NULL, &plain, NULL), WEIR_OK);
    declaring = copying;
    declaring.port = ntohs(address.sin_port);
    config.settings = doors.settings = plain;
    ck_assert_msg(weir__app_new(&config, &app, &err) == WEIR_OK, "%s", err.text);
    code = weir__http_start(&doors, &other, &err);
    ck_assert_int_eq(code, WEIR_OK);
    ck_assert_int_gt(weir__http_port(other, "copying"), 0);
    ck_assert_int_ne(weir__http_port(other, "copying"), declaring.port);
    weir__http_stop(other);
    doors.declared = false;
    ck_assert_int_eq(weir__http_start(&doors, &other, &err), WEIR_OK);
    ck_assert_ptr_null(other);
    weir__app_free(app);
    weir__config_free(plain);
    close(fd);
}
END_TEST

START_TEST(no_port_asked_for_is_none)
{
    set("http.port", "-1");
    ck_assert_int_eq(start(), WEIR_OK);
    ck_assert_ptr_null(http);
}
END_TEST

static atomic_bool enough;

static void *keep_asking(void *arg)
{
    static const char *const paths[] = { "/metrics", "/health", "/status", "/health/ready", "/topology", "/large" };
    int                      fd = dial();

    for (unsigned i = *(const unsigned *)arg; !atomic_load(&enough); i++) {
        struct answer answer;

        ask(fd, paths[i % ARRAY_SIZE(paths)]);
        answer = hear(fd);
        ck_assert(answer.status == 200 || answer.status == 503);
        drop(&answer);
    }
    close(fd);
    return NULL;
}

START_TEST(many_ask_while_records_flow)
{
    pthread_t threads[4];
    unsigned  numbers[] = { 0, 1, 2, 3 };

    atomic_store(&enough, false);
    ck_assert_int_eq(start(), WEIR_OK);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, keep_asking, &numbers[i]), 0);
    for (int i = 0; i < 10; i++) {
        send_words(100);
        ck_assert_int_eq(weir__apps_drain(apps, ARRAY_SIZE(apps), NULL, NULL, &err), WEIR_OK);
    }
    for (size_t i = 0; i < ARRAY_SIZE(apps); i++)
        weir__app_close(apps[i]); /* and while they stop */
    for (size_t i = 0; i < ARRAY_SIZE(apps); i++)
        ck_assert_int_eq(weir__app_stop(apps[i], &err), WEIR_OK);
    ck_assert_int_eq(status_of("/health/ready"), 503);
    atomic_store(&enough, true);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http");
    TCase *tests = tcase_create("http");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, refuses_what_is_malformed_and_closes, 0, (int)ARRAY_SIZE(refused));
    tcase_add_loop_test(tests, refuses_heads_that_are_too_long, 0, 3);
    tcase_add_test(tests, answers_in_the_order_asked);
    tcase_add_test(tests, takes_requests_byte_by_byte_and_by_halves);
    tcase_add_test(tests, answers_who_has_said_all);
    tcase_add_test(tests, waits_for_who_reads_slowly);
    tcase_add_loop_test(tests, gives_up_a_client_that_takes_too_long, 0, 2);
    tcase_add_test(tests, closes_idle_connections);
    tcase_add_test(tests, a_flood_of_connections_takes_no_more_descriptors);
    tcase_add_test(tests, makes_room_where_one_is_idle);
    tcase_add_test(tests, refuses_one_too_many);
    tcase_add_test(tests, decodes_what_is_asked);
    tcase_add_test(tests, handlers_codes_are_statuses);
    tcase_add_test(tests, health_names_its_checks);
    tcase_add_test(tests, a_held_up_verb_fails_liveness_until_it_returns);
    tcase_add_test(tests, a_commit_without_outcome_is_not_ready);
    tcase_add_test(tests, a_topology_is_told_in_the_form_that_is_asked_for);
    tcase_add_test(tests, topologies_may_have_ports_of_their_own);
    tcase_add_loop_test(tests, says_what_is_wrong_with_a_port, 0, 2);
    tcase_add_test(tests, a_declared_port_that_is_taken_gives_way);
    tcase_add_test(tests, no_port_asked_for_is_none);
    tcase_add_test(tests, many_ask_while_records_flow);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
