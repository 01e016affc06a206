/* terminal.c: a screen of one's own on a terminal, key by key, and the terminal as it was when it ends.
 *
 * (1) Whatever ends the program by a signal that can be taken, the screen is given back first; so it is while it sleeps
 *     by SIGTSTP.
 */
#define _GNU_SOURCE
#include "framework/main/commands.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"

static struct termios        before;
static bool                  keys; /* the keyboard is ours */
static volatile sig_atomic_t ended, stopped;
static sigset_t              taken, outside;

static void on_signal(int number)
{
    if (number == SIGTSTP)
        stopped = 1;
    else if (number != SIGWINCH && number != SIGCONT)
        ended = 1;
}

static void put(const char *text)
{
    fputs(text, stdout);
    fflush(stdout);
}

static void enter(void)
{
    struct termios raw;

    keys = tcgetattr(STDIN_FILENO, &before) == 0;
    if (keys) {
        raw = before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        raw.c_cc[VMIN] = 0;
        raw.c_cc[VTIME] = 0;
        keys = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    }
    put(ENTER);
}

static void leave(void)
{
    put(LEAVE);
    if (keys)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

void weir__terminal_open(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH, SIGCONT };
    struct sigaction action = { .sa_handler = on_signal };

    sigemptyset(&taken);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        (void)sigaction(numbers[i], &action, NULL);
        sigaddset(&taken, numbers[i]);
    }
    pthread_sigmask(SIG_BLOCK, &taken, &outside);
    enter();
}

void weir__terminal_close(void)
{
    leave();
    pthread_sigmask(SIG_SETMASK, &outside, NULL);
}

static void sleep_by_signal(void)
{
    stopped = 0;
    leave();
    (void)kill(getpid(), SIGSTOP);
    enter();
}

int weir__terminal_wait(int64_t ms)
{
    struct pollfd   input = { .fd = keys ? STDIN_FILENO : -1, .events = POLLIN };
    struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
    unsigned char   key;
    int             got = ppoll(&input, 1, &wait, &outside);

    if (stopped)
        sleep_by_signal();
    if (ended)
        return WEIR__TERMINAL_ENDED;
    if (got <= 0)
        return got == 0 ? 0 : WEIR__TERMINAL_AGAIN;
    return read(STDIN_FILENO, &key, 1) == 1 ? key : WEIR__TERMINAL_ENDED;
}

void weir__terminal_size(int *ret_rows, int *ret_columns)
{
    struct winsize size;

    *ret_rows = 24;
    *ret_columns = 80;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
        *ret_rows = size.ws_row;
        *ret_columns = size.ws_col;
    }
}

/* One line after the other, cut at the right and at the bottom; what was there before goes. */
void weir__terminal_draw(const struct weir__buf *text)
{
    int         rows, columns;
    const char *at = text->data, *end = text->data + text->size;

    weir__terminal_size(&rows, &columns);
    fputs("\033[H", stdout);
    for (int row = 0; row < rows && at < end; row++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        int         size = (int)((newline != NULL ? newline : end) - at);

        printf("%s%.*s\033[K", row > 0 ? "\r\n" : "", MIN(size, columns), at);
        at += size + 1;
    }
    fputs("\033[J", stdout);
    fflush(stdout);
}
