/* reasons.c: the table of reasons, looked up. */
#include "schemas/reasons.h"

static const struct reason {
    int         code, weir;
    const char *name, *text;
} reasons[] = {
#define ROW(code, value, weir, name, text) { value, weir, name, text },
    MARKET_REASONS(ROW)
#undef ROW
};

static const struct reason *find(int code)
{
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (reasons[i].code == code)
            return &reasons[i];
    return NULL;
}

const char *market_reason_name(int code)
{
    const struct reason *reason = find(code);

    return reason ? reason->name : weir_code_name(code);
}

const char *market_reason_text(int code)
{
    const struct reason *reason = find(code);

    return reason ? reason->text : weir_code_text(code);
}

int market_weir_code(int code)
{
    const struct reason *reason = find(code);

    return reason ? reason->weir : code;
}
