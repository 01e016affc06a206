/* refusal.c: brokers that do not let us in, or that are not to be believed: what it is, in words.
 *
 * (1) All handles have the same settings, so what one of them hears is so for all: the one for look-ups listens.
 * (2) A broker that wants a password ends the connection at the first question of who shows none; so does one that dies just then:
 *     at the second time in a row it is believed to be that.
 * (3) It is an answer only while nobody answers: of three brokers one may have a bad certificate.
 */
#define _GNU_SOURCE
#include "framework/kafka/internal.h"

#define HANGS_UP    "might require SASL authentication"
#define CERTIFICATE "ssl.certificate.location"
#define RENAMED \
    "its certificate is made out to others: write in kafka.bootstrap.servers what the certificate says, or renew it there"

/* What OpenSSL's check of their certificate came to, by its numbers, which do not change (X509_V_ERR_...). */
static const struct {
    int         number;
    const char *meaning;
} verdicts[] = {
    { 9, "its certificate is not valid yet: look at both clocks" },
    { 10, "its certificate has expired: renew it there" },
    { 62, RENAMED },
    { 64, RENAMED },
};

/* Words of librdkafka, OpenSSL and brokers. */
static const struct {
    const char *words, *meaning;
} meanings[] = {
    { "certificate verify failed", "its certificate is of no authority that we trust: name that in "
                                   "kafka.ssl.ca.location" },
    { "wrong version number", "it speaks no TLS there: look at kafka.security.protocol and the port" },
    { "unexpected eof", "it speaks no TLS there: look at kafka.security.protocol and the port" },
    { "mechanism handshake failed", "it does not take that way to show a password: set kafka.sasl.mechanism" },
    { "unsupported sasl mechanism", "it does not take that way to show a password: set kafka.sasl.mechanism" },
    { HANGS_UP,
      "it ends the connection at the first question, for it wants a password: set kafka.security.protocol to sasl_ssl or "
      "sasl_plaintext, and kafka.sasl.*" },
    { "incorrect security.protocol", "it speaks otherwise there: look at kafka.security.protocol and the port" },
};

/* librdkafka before 2.6.1 repeats the client's nonce, which brokers of Kafka 4 do not let pass. */
#define SCRAM_GOOD 0x020601ff

static const char *meaning_of_password(const struct weir__log *log)
{
    const char *mechanism = weir__kafka_value_of((const char *const *)log->settings, "sasl.mechanism");

    if (mechanism != NULL && strncasecmp(mechanism, "SCRAM", 5) == 0 && rd_kafka_version() < SCRAM_GOOD)
        return "user or password is wrong: look at kafka.sasl.username and kafka.sasl.password; or it is Kafka 4, whose "
               "SCRAM needs librdkafka 2.6.1 or later: take PLAIN over TLS";
    return "user or password is wrong: look at kafka.sasl.username and kafka.sasl.password";
}

static const char *meaning_of(struct weir__log *log, rd_kafka_resp_err_t err, const char *words)
{
    for (size_t i = 0; err == RD_KAFKA_RESP_ERR__SSL && i < ARRAY_SIZE(verdicts); i++)
        if (verdicts[i].number == atomic_load(&log->verdict))
            return verdicts[i].meaning;
    if (strstr(words, "SSL alert number") != NULL)
        return weir__kafka_value_of((const char *const *)log->settings, CERTIFICATE) == NULL
                   ? "it wants a certificate of ours: set kafka." CERTIFICATE " and kafka.ssl.key.location"
                   : "it refuses our certificate: look at kafka." CERTIFICATE;
    for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
        if (strcasestr(words, meanings[i].words) != NULL)
            return meanings[i].meaning;
    return err == RD_KAFKA_RESP_ERR__SSL ? "TLS with it fails: look at kafka.ssl.* and kafka.security.protocol"
                                         : meaning_of_password(log);
}

static bool is_refusal(rd_kafka_resp_err_t err, const char *words)
{
    return err == RD_KAFKA_RESP_ERR__AUTHENTICATION || err == RD_KAFKA_RESP_ERR__SSL ||
           strstr(words, "SSL alert number") != NULL || strstr(words, "incorrect security.protocol") != NULL;
}

/* "ssl://host:port/bootstrap: words (after 3ms in state X)" in two. */
static void take_apart(const char *text, char broker[static 160], struct weir_text *ret_words)
{
    const char *begin = strstr(text, "://"), *words, *end;

    begin = begin != NULL ? begin + 3 : text;
    snprintf(broker, 160, "%.*s", (int)MIN(strcspn(begin, "/ "), 159), begin);
    words = strstr(text, ": ");
    words = words != NULL ? words + 2 : text;
    end = strstr(words, " (after ");
    *ret_words = (struct weir_text){ words, end != NULL ? (size_t)(end - words) : strlen(words) };
}

static void on_error(rd_kafka_t *rk, int err, const char *text, void *arg)
{
    struct weir__log *log = arg;
    const bool        hangs_up = strstr(text, HANGS_UP) != NULL;
    struct weir_text  words;
    char              broker[160];

    (void)rk;
    take_apart(text, broker, &words);
    pthread_mutex_lock(&log->client_mutex);
    if (err != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        log->hung_up = hangs_up ? log->hung_up + 1 : 0;
    if (is_refusal(err, text) || (hangs_up && log->hung_up > 1))
        weir__fail(&log->refusal, WEIR_BAD_CONFIG, broker, "%s (%.*s)", meaning_of(log, err, text),
                   (int)MIN(words.size, 250), words.data);
    pthread_mutex_unlock(&log->client_mutex);
}

/* On a thread of the library, once for each certificate of the chain. */
static int on_certificate(rd_kafka_t *rk, const char *broker, int32_t id, int *number, int depth, const char *bytes,
                          size_t size, char *words, size_t room, void *arg)
{
    struct weir__log *log = arg;

    (void)rk;
    (void)broker;
    (void)id;
    (void)depth;
    (void)bytes;
    (void)size;
    if (*number == 0)
        return 1;
    atomic_store(&log->verdict, *number);
    snprintf(words, room, "number %d of X509_V_ERR", *number);
    return 0;
}

void weir__kafka_refusal_heed(rd_kafka_conf_t *conf, void *log)
{
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_ssl_cert_verify_cb(conf, on_certificate);
    rd_kafka_conf_set_opaque(conf, log);
}

void weir__kafka_refusal_look(struct weir__log *log) { (void)rd_kafka_poll(log->any, 0); }

void weir__kafka_refusal_forget(struct weir__log *log)
{
    weir__kafka_refusal_look(log);
    pthread_mutex_lock(&log->client_mutex);
    log->refusal.code = WEIR_OK;
    log->hung_up = 0;
    pthread_mutex_unlock(&log->client_mutex);
}

bool weir__kafka_refused(struct weir__log *log, struct weir_error *ret)
{
    bool refused;

    pthread_mutex_lock(&log->client_mutex);
    refused = log->refusal.code < 0;
    if (refused)
        *ret = log->refusal;
    pthread_mutex_unlock(&log->client_mutex);
    return refused;
}
