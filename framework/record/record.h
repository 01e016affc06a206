/* record.h: a record as bytes, the way logs and changelogs carry it, and help around codecs. */
#ifndef WEIR_RECORD_H
#define WEIR_RECORD_H

#include "framework/base/base.h"
#include "framework/json.h"

/* A topic partition. */
struct weir__tp {
    const char *topic;
    int32_t     partition;
};

/* A record of a topic partition. Bytes, name and headers are borrowed. */
struct weir__raw {
    const char               *topic;
    int32_t                   partition;
    int64_t                   offset;
    int64_t                   timestamp;  /* ms */
    struct weir_bytes         key, value; /* data NULL = null, which is not empty */
    const struct weir_header *headers;
    size_t                    header_count;
};

/* Largest value of any codec in memory, bytes (a codec with more is refused at load). */
#define WEIR__VALUE_MAX ((size_t)1 << 20)

/* JSON text as our writer writes it; the value is a struct weir_text. Of dead letters. */
extern const struct weir_codec weir__json_text[1];

bool weir__codec_same(const struct weir_codec *a, const struct weir_codec *b);
/* "windowed(string,60000)": for messages. */
void weir__codec_describe(const struct weir_codec *codec, struct weir__buf *ret);
/* Decodes into memory of the arena; data NULL gives *ret NULL. */
int weir__decode(const struct weir_codec *codec, struct weir_arena *arena, struct weir_bytes in, const void **ret);
/* value NULL gives NO_BYTES. */
int weir__encode(const struct weir_codec *codec, struct weir_arena *arena, const void *value, struct weir_bytes *ret);
/* As the codec does it; WEIR_UNREADABLE where it has no print, no parse. */
int weir__print(const struct weir_codec *codec, const void *value, struct weir_json_out *json);
int weir__parse(const struct weir_codec *codec, const struct weir_json *json, void *ret);

/* The JSON text of bytes by a codec: null for data NULL, else what the codec prints; {"base64": "..."} where it cannot
 * read the bytes or has no print, where its text would lose something (bytes that are no UTF-8, a NaN), or codec NULL.
 * WEIR_NO_MEMORY. */
int weir__bytes_print(const struct weir_codec *codec, struct weir_bytes bytes, struct weir_arena *arena,
                      struct weir_json_out *json);
/* The reverse, for JSON that was parsed into the arena (NULL = null); side ("key") names it in reterr. WEIR_UNREADABLE and
 * the codec's codes. */
int weir__bytes_parse(const char *side, const struct weir_json *json, const struct weir_codec *codec,
                      struct weir_arena *arena, struct weir_bytes *ret, struct weir_error *reterr);
/* One JSON object on one line as `cat` prints it: topic, partition, offset, key, timestamp, headers, value.
 * Key and value as weir__bytes_print has them; raw_parse reads {"base64": "..."} whatever the codec.
 * WEIR_NO_MEMORY. */
int weir__raw_print(const struct weir__raw *raw, const struct weir_codec *key, const struct weir_codec *value,
                    struct weir_arena *arena, struct weir_json_out *json);
/* The reverse: reads key, timestamp, headers, value of such an object; the rest is ignored. timestamp absent:
 * `now`. Bytes live in the arena. WEIR_UNREADABLE with the member's name in reterr. */
int weir__raw_parse(const struct weir_json *json, const struct weir_codec *key, const struct weir_codec *value,
                    struct weir_arena *arena, int64_t now, struct weir__raw *ret, struct weir_error *reterr);
/* Such an object's list of headers alone; NULL = none. WEIR_UNREADABLE, WEIR_LIMIT. */
int weir__headers_parse(const struct weir_json *list, struct weir_arena *arena, struct weir__raw *ret);
/* Copies raw with all it points to into the arena (the topic's name too). */
int weir__raw_copy(const struct weir__raw *raw, struct weir_arena *arena, struct weir__raw *ret);
/* Adds a flat, self-contained form of timestamp, key, value, headers (not topic, partition, offset). WEIR_TOO_LARGE,
 * WEIR_NO_MEMORY: nothing is added. */
int weir__raw_pack(const struct weir__raw *raw, struct weir__buf *ret);
/* Any bytes may be given; what was packed is borrowed. WEIR_CORRUPT, WEIR_LIMIT. */
int weir__raw_unpack(struct weir_bytes packed, struct weir_arena *arena, struct weir__raw *ret);

/* RFC 4648 base64. Decoding: WEIR_UNREADABLE. */
void weir__base64_encode(struct weir_bytes bytes, struct weir__buf *ret);
int  weir__base64_decode(struct weir_text text, struct weir_arena *arena, struct weir_bytes *ret);

/* Dead letters: what failed, and where. */
struct weir__dead_letter {
    const struct weir__raw *source; /* as read from its topic */
    const char             *topology, *node;
    const char             *code, *message;
    struct weir_text        tenant; /* data NULL = not known */
    int                     attempts;
    int64_t                 first_failed, last_failed; /* wall clock, ms */
    bool                    bare;                      /* without the record's bytes */
};
/* The one shape of dead letters (docs/dead-letters.md): JSON bytes in json's buffer. */
int weir__dead_letter_print(const struct weir__dead_letter *letter, struct weir_json_out *json);

#endif
