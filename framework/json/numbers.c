/* numbers.c: doubles to text and back, whatever the locale. */
#define _GNU_SOURCE /* strtod_l */
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "framework/json/json.h"

static locale_t c_locale;

static void make_locale(void) { c_locale = newlocale(LC_ALL_MASK, "C", NULL); }

static double to_double(const char *text)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, make_locale);
    return c_locale != NULL ? strtod_l(text, NULL, c_locale) : strtod(text, NULL);
}

int weir_json_double(const struct weir_json *json, double *ret)
{
    char   text[400];
    double value;

    if (json == NULL || json->type != WEIR_JSON_NUMBER || json->text.size >= sizeof(text))
        return WEIR_UNREADABLE;
    memcpy(text, json->text.data, json->text.size);
    text[json->text.size] = '\0';
    value = to_double(text);
    if (!isfinite(value))
        return WEIR_OVERFLOW;
    *ret = value;
    return WEIR_OK;
}

/* printf writes the locale's point. */
static void mend_point(char *text)
{
    for (; *text != '\0'; text++)
        if ((*text < '0' || *text > '9') && *text != '-' && *text != '+' && *text != 'e')
            *text = '.';
}

void weir_json_put_double(struct weir_json_out *json, double value)
{
    char text[40];

    if (!isfinite(value)) {
        weir_json_put_null(json);
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof(text), "%.*g", precision, value);
        mend_point(text);
        if (to_double(text) == value)
            break;
    }
    weir_json_put_number(json, (struct weir_text){ .data = text, .size = strlen(text) });
}
