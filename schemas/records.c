/* records.c: quality flags by label. */
#include "schemas/records.h"

static const char *const labels[] = {
#define LABEL(name, label) label,
    MARKET_FLAGS(LABEL)
#undef LABEL
};

const char *market_flag_label(enum market_flag_bit bit) { return labels[bit]; }

uint32_t market_flag_of(struct weir_text label)
{
    for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
        if (strlen(labels[i]) == label.size && memcmp(labels[i], label.data, label.size) == 0)
            return UINT32_C(1) << i;
    return 0;
}
