/* logging.c: makes a line in memory, then writes it with one call under one lock.
 *
 * (1) What comes from outside cannot forge a line or drive a terminal: control characters are escaped, bytes that are
 *     not UTF-8 become U+FFFD.
 * (2) Without memory for its line a message is replaced by a fixed one.
 */
#include "framework/logging/logging.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static _Atomic int     least_level = WEIR__INFO, write_to = STDERR_FILENO;
static _Atomic bool    as_json;
static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;
static char            shown[256]; /* the last line of the terminal; under the lock */

struct line {
    struct weir__buf buf;
    bool             json;
};

void weir__log_setup(enum weir__level level, bool json, int fd)
{
    atomic_store(&least_level, (int)level);
    atomic_store(&as_json, json);
    atomic_store(&write_to, fd);
}

static bool is_control(uint32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

/* One character of text inside quotes; gives its size. */
static size_t add_escaped(struct weir__buf *buf, struct weir_bytes text)
{
    uint32_t c;
    size_t   size = weir__utf8_take(text, &c);

    if (!size) {
        weir__buf_puts(buf, "\xef\xbf\xbd");
        return 1;
    }
    if (c == '"' || c == '\\')
        weir__buf_printf(buf, "\\%c", (char)c);
    else if (c == '\n')
        weir__buf_puts(buf, "\\n");
    else if (c == '\t')
        weir__buf_puts(buf, "\\t");
    else if (is_control(c))
        weir__buf_printf(buf, "\\u%04x", c);
    else
        weir__buf_add(buf, text.data, size);
    return size;
}

static void add_quoted(struct weir__buf *buf, const char *text)
{
    const char *end = text + strlen(text);

    weir__buf_putc(buf, '"');
    while (text < end)
        text += add_escaped(buf, BYTES(text, (size_t)(end - text)));
    weir__buf_putc(buf, '"');
}

static bool needs_quotes(const char *text)
{
    if (!*text)
        return true;
    for (; *text; text++)
        if (*text <= ' ' || *text >= 0x7f || *text == '=' || *text == '"')
            return true;
    return false;
}

static void add_name(struct line *line, const char *name)
{
    if (line->json)
        weir__buf_printf(&line->buf, "%c\"%s\":", line->buf.size ? ',' : '{', name);
    else
        weir__buf_printf(&line->buf, "%s%s=", line->buf.size ? " " : "", name);
}

static void add_text(struct line *line, const char *name, const char *text)
{
    add_name(line, name);
    if (!text)
        weir__buf_puts(&line->buf, "null");
    else if (line->json || needs_quotes(text))
        add_quoted(&line->buf, text);
    else
        weir__buf_puts(&line->buf, text);
}

static void add_number(struct line *line, const char *name, double value)
{
    add_name(line, name);
    if (line->json && !isfinite(value))
        weir__buf_puts(&line->buf, "null");
    else
        weir__buf_printf(&line->buf, "%.9g", value);
}

static void add_time(struct line *line)
{
    int64_t   now = weir__wall_ms();
    time_t    seconds = (time_t)(now / 1000);
    struct tm utc;
    char      day[32], text[48];

    gmtime_r(&seconds, &utc);
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, sizeof(text), "%s.%03dZ", day, (int)(now % 1000));
    add_text(line, "time", text);
}

static void add_pairs(struct line *line, va_list *pairs)
{
    const char *name;

    while ((name = va_arg(*pairs, const char *))) {
        const char *type = va_arg(*pairs, const char *);

        switch (type[0]) {
        case 's': add_text(line, name, va_arg(*pairs, const char *)); break;
        case 'i':
            add_name(line, name);
            weir__buf_printf(&line->buf, "%lld", (long long)va_arg(*pairs, int64_t));
            break;
        case 'u':
            add_name(line, name);
            weir__buf_printf(&line->buf, "%llu", (unsigned long long)va_arg(*pairs, uint64_t));
            break;
        case 'f': add_number(line, name, va_arg(*pairs, double)); break;
        case 'b':
            add_name(line, name);
            weir__buf_puts(&line->buf, va_arg(*pairs, int) ? "true" : "false");
            break;
        default: CHECK(!"a type letter of weir__say");
        }
    }
}

/* What cannot be written is lost: there is nobody left to tell. */
static void write_all(const char *data, size_t size)
{
    int fd = atomic_load(&write_to);

    while (size > 0) {
        ssize_t written = write(fd, data, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return;
        data += written;
        size -= (size_t)written;
    }
}

#define CLEAR "\r\033[K"

static void write_line(const char *data, size_t size)
{
    pthread_mutex_lock(&write_lock);
    if (shown[0] != '\0')
        write_all(CLEAR, strlen(CLEAR));
    write_all(data, size);
    write_all(shown, strlen(shown));
    pthread_mutex_unlock(&write_lock);
}

bool weir__shows(void) { return isatty(atomic_load(&write_to)); }

/* A line that the terminal had to break could not be overwritten. */
static size_t room(void)
{
    struct winsize size;
    bool           told = ioctl(atomic_load(&write_to), TIOCGWINSZ, &size) == 0 && size.ws_col > 1;

    return MIN(told ? (size_t)size.ws_col : 80, sizeof(shown));
}

void weir__show(const char *text)
{
    if (!weir__shows())
        return;
    pthread_mutex_lock(&write_lock);
    if (text != NULL || shown[0] != '\0')
        write_all(CLEAR, strlen(CLEAR));
    snprintf(shown, room(), "%s", text != NULL ? text : "");
    write_all(shown, strlen(shown));
    pthread_mutex_unlock(&write_lock);
}

static void finish(struct line *line)
{
    static const char lost[] = "level=error id=log-line-lost text=\"out of memory\"\n",
                      lost_json[] = "{\"level\":\"error\",\"id\":\"log-line-lost\",\"text\":\"out of memory\"}\n";

    weir__buf_puts(&line->buf, line->json ? "}\n" : "\n");
    if (weir__buf_ok(&line->buf))
        write_line(line->buf.data, line->buf.size);
    else if (line->json)
        write_line(lost_json, sizeof(lost_json) - 1);
    else
        write_line(lost, sizeof(lost) - 1);
}

void weir__say(enum weir__level level, const char *id, ...)
{
    struct line line = { .json = atomic_load(&as_json) };
    va_list     pairs;

    if ((int)level < atomic_load(&least_level))
        return;
    add_time(&line);
    add_text(&line, "level", level_names[level]);
    add_text(&line, "id", id);
    va_start(pairs, id);
    add_pairs(&line, &pairs);
    va_end(pairs);
    finish(&line);
    weir__buf_fini(&line.buf);
}

void weir__say_error(enum weir__level level, const char *id, const struct weir_error *err)
{
    weir__say(level, id, "code", "s", weir_code_name(err->code), "where", "s", err->where, "text", "s", err->text,
              NULL);
}

const char *weir__bar(int64_t done, int64_t all, char to[static WEIR__BAR_BYTES])
{
    enum { WIDTH = 30 };
    int  percent = all > 0 ? (int)(MIN(MAX(done, 0), all) * 100 / all) : 100;
    char marks[WIDTH + 1] = { 0 };

    for (int i = 0; i < WIDTH; i++)
        marks[i] = i < percent * WIDTH / 100 ? '#' : '.';
    snprintf(to, WEIR__BAR_BYTES, "[%s] %3d %%", marks, percent);
    return to;
}
