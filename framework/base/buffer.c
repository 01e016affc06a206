/* buffer.c: bytes that grow at the end. */
#include "framework/base/base.h"

void weir__buf_fini(struct weir__buf *buf)
{
    weir__free(buf->data);
    *buf = (struct weir__buf){ 0 };
}

void weir__buf_reset(struct weir__buf *buf)
{
    buf->size = 0;
    buf->failed = false;
}

bool weir__buf_room(struct weir__buf *buf, size_t more)
{
    size_t needed = buf->size + more, capacity = MAX(buf->capacity, 64);
    char  *data;

    if (buf->failed)
        return false;
    if (needed >= more && needed <= buf->capacity)
        return true;
    while (capacity < needed && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    data = needed < more || capacity < needed ? NULL : weir__realloc(buf->data, capacity);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void weir__buf_add(struct weir__buf *buf, const void *data, size_t size)
{
    if (!weir__buf_room(buf, size) || !size)
        return;
    memcpy(buf->data + buf->size, data, size);
    buf->size += size;
}

void weir__buf_puts(struct weir__buf *buf, const char *text) { weir__buf_add(buf, text, strlen(text)); }

void weir__buf_putc(struct weir__buf *buf, char c) { weir__buf_add(buf, &c, 1); }

void weir__buf_printf(struct weir__buf *buf, const char *format, ...)
{
    va_list args;
    int     size;

    va_start(args, format);
    size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0)
        buf->failed = true;
    if (!weir__buf_room(buf, (size_t)size + 1))
        return;
    va_start(args, format);
    vsnprintf(buf->data + buf->size, (size_t)size + 1, format, args);
    va_end(args);
    buf->size += (size_t)size;
}

void weir__buf_be32(struct weir__buf *buf, uint32_t value)
{
    char bytes[4];

    weir__put_be32(bytes, value);
    weir__buf_add(buf, bytes, sizeof(bytes));
}

void weir__buf_be64(struct weir__buf *buf, uint64_t value)
{
    char bytes[8];

    weir__put_be64(bytes, value);
    weir__buf_add(buf, bytes, sizeof(bytes));
}
