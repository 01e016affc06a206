/* loses.c: whether a topic that is other than we want it deletes or refuses records that the one we want keeps. */
#include <string.h>

#include "framework/log/log.h"

#define TIME      "message.timestamp."
#define RETENTION "retention."

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

/* Whether it is a bound: -1 is none. */
static bool is_bound(const char *text, int64_t *ret) { return weir__parse_int64(text, ret) == WEIR_OK && *ret >= 0; }

/* A tighter bound than the one wanted. */
static bool is_less(const char *found, const char *wanted)
{
    int64_t a, b;

    return is_bound(found, &a) && (!is_bound(wanted, &b) || a < b);
}

static bool deletes(const struct weir__cleanup *kept)
{
    int64_t bound;

    return strstr(kept->policy, "delete") != NULL &&
           (is_bound(kept->retention_ms, &bound) || is_bound(kept->retention_bytes, &bound));
}

bool weir__loses(const char *setting, const char *wanted, const char *found, const struct weir__cleanup *kept)
{
    if (strcmp(setting, "message.timestamp.type") == 0)
        return true;
    if (strcmp(setting, "cleanup.policy") == 0)
        return strcmp(wanted, "compact") == 0 ? deletes(kept)
                                              : strcmp(wanted, "delete") == 0 && strstr(found, "compact") != NULL;
    if (begins(setting, RETENTION))
        return strstr(kept->policy, "delete") != NULL && is_less(found, wanted);
    return begins(setting, TIME) && is_less(found, wanted);
}
