/* fuzz_config.c: files of settings of any bytes: taken, or refused with the place and words; what is printed of them shows no secret.
 * From the top of the tree:
 *   clang-14 -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -I. test/fuzz/fuzz_config.c \
 *       $(find framework/base framework/config -name '*.c') -lxxhash -lm -o /tmp/fuzz_config && /tmp/fuzz_config -max_len=600 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "framework/config/config.h"
#include "test/fuzz/fuzz.h"

#define HIDDEN "http.token=********"

static void expect(bool good)
{
    if (!good)
        abort();
}

static int read_bytes(struct weir__config *config, const uint8_t *data, size_t size, struct weir_error *reterr)
{
    static int fd = -1;
    char       path[64];

    if (fd < 0)
        fd = memfd_create("settings", 0);
    expect(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return weir__config_read_file(config, path, reterr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const topologies[] = { "aggregation", NULL };
    struct weir__config     *config = NULL;
    struct weir__buf         printed = { 0 };
    struct weir_error        error = { 0 };
    int                      err;

    expect(weir__config_new(topologies, NULL, &config, NULL) == WEIR_OK);
    err = read_bytes(config, data, size, &error);
    expect(err == WEIR_OK || (err < 0 && error.code == err && error.where[0] != '\0' && error.text[0] != '\0'));
    weir__config_print(config, &printed);
    expect(weir__buf_ok(&printed));
    if (weir__config_text(config, "http.token") != NULL)
        expect(memmem(printed.data, printed.size, HIDDEN, strlen(HIDDEN)) != NULL);
    weir__buf_fini(&printed);
    weir__config_free(config);
    return 0;
}
