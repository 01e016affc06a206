import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.InternalFixedKeyRecordFactory;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.TimestampedWindowStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.state.WindowStoreIterator;

/** The processors of section 6.7 of the case format, for free and for fixed keys. */
final class Processors {
    interface Out {
        void forward(Record<Object, Object> record);

        void forward(Record<Object, Object> record, String child);
    }

    private final JsonNode fn;
    private final String name;
    private final Build build;
    private ProcessingContext context;
    private Out out;
    private StateStore store;
    private long fired;

    private Processors(JsonNode fn, Build build) {
        this.fn = fn;
        this.name = fn.get(0).textValue();
        this.build = build;
    }

    static Processor<Object, Object, Object, Object> free(JsonNode fn, Build build) {
        Processors it = new Processors(fn, build);

        return new Processor<>() {
            @Override
            public void init(ProcessorContext<Object, Object> context) {
                it.init(context, new Out() {
                    @Override
                    public void forward(Record<Object, Object> record) {
                        context.forward(record);
                    }

                    @Override
                    public void forward(Record<Object, Object> record, String child) {
                        context.forward(record, child);
                    }
                });
            }

            @Override
            public void process(Record<Object, Object> record) {
                it.process(record);
            }
        };
    }

    static FixedKeyProcessor<Object, Object, Object> fixed(JsonNode fn, Build build) {
        Processors it = new Processors(fn, build);

        return new FixedKeyProcessor<>() {
            @Override
            public void init(FixedKeyProcessorContext<Object, Object> context) {
                it.init(context, new Out() {
                    @Override
                    public void forward(Record<Object, Object> record) {
                        context.forward(InternalFixedKeyRecordFactory.create(record));
                    }

                    @Override
                    public void forward(Record<Object, Object> record, String child) {
                        context.forward(InternalFixedKeyRecordFactory.create(record), child);
                    }
                });
            }

            @Override
            public void process(FixedKeyRecord<Object, Object> record) {
                it.process(new Record<>(record.key(), record.value(), record.timestamp(), record.headers()));
            }
        };
    }

    /** Types after a processor; key and value are what it receives. */
    static Type[] results(JsonNode fn, Build build, Type key, Type value) {
        Type string = Type.of("string");

        switch (fn.get(0).textValue()) {
        case "rekey_named": return new Type[] { string, value };
        case "running_count": return new Type[] { key, Type.of("long") };
        case "count_punctuate": return new Type[] { key, Type.of("long") };
        case "punctuate":
        case "punctuate_cancel": return new Type[] { string, string };
        case "pass":
        case "drop":
        case "forward_all":
        case "header_add":
        case "header_remove":
        case "shift_ts":
        case "to_child":
        case "store_put":
        case "store_put_quiet":
        case "global_put":
        case "dedup": return new Type[] { key, value };
        default: return new Type[] { key, string };
        }
    }

    private String word(int n) {
        return fn.get(n).textValue();
    }

    private void init(ProcessingContext context, Out out) {
        this.context = context;
        this.out = out;
        switch (name) {
        case "store_put":
        case "store_put_quiet":
        case "global_put":
        case "delete_old":
        case "dedup":
        case "running_count":
        case "range_scan":
        case "global_lookup":
        case "count_punctuate":
        case "kv_cmd":
        case "window_cmd":
        case "session_cmd":
        case "versioned_cmd":
            store = context.getStateStore(word(1));
            break;
        default:
        }
        if (name.equals("count_punctuate"))
            context.schedule(Duration.ofMillis(fn.get(2).longValue()), type(3), this::punctuateCounts);
        if (name.equals("punctuate") || name.equals("punctuate_cancel")) {
            Cancellable[] handle = new Cancellable[1];

            handle[0] = context.schedule(Duration.ofMillis(fn.get(1).longValue()), type(2), time -> {
                out.forward(new Record<>("punctuate", Long.toString(time), Math.max(0, time)));
                if (name.equals("punctuate_cancel") && ++fired >= fn.get(3).longValue())
                    handle[0].cancel();
            });
        }
    }

    private PunctuationType type(int n) {
        return word(n).equals("wall") ? PunctuationType.WALL_CLOCK_TIME : PunctuationType.STREAM_TIME;
    }

    @SuppressWarnings("unchecked")
    private KeyValueStore<Object, Object> kv() {
        return (KeyValueStore<Object, Object>) store;
    }

    /** A value as the store wants it. */
    private Object stored(Object value, long time) {
        boolean timed = store instanceof TimestampedKeyValueStore || store instanceof TimestampedWindowStore;

        return timed ? ValueAndTimestamp.make(value, time) : value;
    }

    private static Object plain(Object stored) {
        return stored instanceof ValueAndTimestamp ? ((ValueAndTimestamp<?>) stored).value() : stored;
    }

    private static String show(Object stored) {
        if (stored instanceof ValueAndTimestamp) {
            ValueAndTimestamp<?> timed = (ValueAndTimestamp<?>) stored;

            return Type.show(timed.value()) + "@" + timed.timestamp();
        }
        return Type.show(stored);
    }

    private void put(Object key, Object value, long time) {
        kv().put(key, stored(value, time));
    }

    private long count(Record<Object, Object> record) {
        Long old = (Long) plain(kv().get(record.key()));
        long now = old == null ? 1 : old + 1;

        put(record.key(), now, record.timestamp());
        return now;
    }

    private void punctuateCounts(long time) {
        List<KeyValue<Object, Object>> rows = new ArrayList<>();

        try (KeyValueIterator<Object, Object> all = kv().all()) {
            all.forEachRemaining(rows::add);
        }
        for (KeyValue<Object, Object> row : rows)
            out.forward(new Record<>(row.key, plain(row.value), time));
    }

    private static boolean same(Object a, Object b) {
        return a instanceof byte[] && b instanceof byte[] ? Arrays.equals((byte[]) a, (byte[]) b) : Objects.equals(a, b);
    }

    private static Record<Object, Object> withHeaders(Record<Object, Object> record,
                                                      java.util.function.Consumer<Headers> change) {
        Headers copy = new RecordHeaders(record.headers());

        change.accept(copy);
        return new Record<>(record.key(), record.value(), record.timestamp(), copy);
    }

    private static String headersText(Headers headers) {
        StringBuilder text = new StringBuilder();

        headers.forEach(h -> text.append(h.key()).append('=')
                .append(h.value() == null ? "null" : new String(h.value(), java.nio.charset.StandardCharsets.UTF_8))
                .append(';'));
        return text.toString();
    }

    private void rangeScan(Record<Object, Object> record) {
        Type key = build.storeTypes.get(word(1))[0];
        Object from = key.fromJson(fn.get(2)), to = key.fromJson(fn.get(3));
        List<KeyValue<Object, Object>> rows = new ArrayList<>();

        put(record.key(), record.value(), record.timestamp());
        try (KeyValueIterator<Object, Object> range = fn.size() > 4 ? kv().reverseRange(from, to)
                                                                    : kv().range(from, to)) {
            range.forEachRemaining(rows::add);
        }
        for (KeyValue<Object, Object> row : rows)
            out.forward(record.withKey(row.key).withValue(Type.show(plain(row.value))));
    }

    private static String metadata(ProcessingContext context) {
        RecordMetadata metadata = context.recordMetadata().orElse(null);

        return metadata == null ? "null/-1/-1"
                                : metadata.topic() + "/" + metadata.partition() + "/" + metadata.offset();
    }

    private void process(Record<Object, Object> r) {
        Object v = r.value();

        switch (name) {
        case "pass": out.forward(r); return;
        case "drop":
        case "punctuate":
        case "punctuate_cancel": return;
        case "forward_all":
            out.forward(r);
            out.forward(r);
            return;
        case "recurse":
            if (!Type.show(v).startsWith("recurse-"))
                out.forward(r.withValue("recurse-" + Type.show(v)));
            return;
        case "header_add":
            out.forward(withHeaders(r, h -> h.add(word(1), word(2).getBytes(java.nio.charset.StandardCharsets.UTF_8))));
            return;
        case "header_remove": out.forward(withHeaders(r, h -> h.remove(word(1)))); return;
        case "headers_text": out.forward(r.withValue(headersText(r.headers()))); return;
        case "shift_ts": out.forward(r.withTimestamp(r.timestamp() + fn.get(1).longValue())); return;
        case "rekey_named": out.forward(r.withKey(word(1))); return;
        case "to_child": out.forward(r, Functions.predicate(fn.get(2)).holds(r.key(), v) ? word(1) : word(3)); return;
        case "stream_time": out.forward(r.withValue(Long.toString(context.currentStreamTimeMs()))); return;
        case "wall_time": out.forward(r.withValue(Long.toString(context.currentSystemTimeMs()))); return;
        case "ts_text": out.forward(r.withValue(Long.toString(r.timestamp()))); return;
        case "metadata": out.forward(r.withValue(metadata(context))); return;
        case "store_put":
            put(r.key(), v, r.timestamp());
            out.forward(r);
            return;
        case "store_put_quiet":
        case "global_put": put(r.key(), v, r.timestamp()); return;
        case "delete_old": out.forward(r.withValue(Type.show(plain(kv().delete(r.key()))))); return;
        case "dedup":
            if (same(plain(kv().get(r.key())), v))
                return;
            put(r.key(), v, r.timestamp());
            out.forward(r);
            return;
        case "running_count": out.forward(r.withValue(count(r))); return;
        case "count_punctuate": count(r); return;
        case "range_scan": rangeScan(r); return;
        case "global_lookup": out.forward(r.withValue(Type.show(v) + "/" + Type.show(plain(kv().get(v))))); return;
        case "kv_cmd": out.forward(r.withValue(keyValue(r, ((String) v).split(" ")))); return;
        case "window_cmd": out.forward(r.withValue(window(r, ((String) v).split(" ")))); return;
        case "session_cmd": out.forward(r.withValue(session(r, ((String) v).split(" ")))); return;
        case "versioned_cmd": out.forward(r.withValue(versioned(r, ((String) v).split(" ")))); return;
        default: throw new CaseException("no such processor: " + fn);
        }
    }

    private String rows(KeyValueIterator<?, ?> rows) {
        StringBuilder text = new StringBuilder();

        try (rows) {
            while (rows.hasNext()) {
                KeyValue<?, ?> row = rows.next();

                text.append(Type.show(row.key)).append('=').append(show(row.value)).append(';');
            }
        }
        return text.toString();
    }

    private String keyValue(Record<Object, Object> r, String[] words) {
        Type[] types = build.storeTypes.get(word(1));
        Object a = words.length > 1 ? types[0].fromWord(words[1]) : null;
        Object b = words.length > 2 ? types[0].fromWord(words[2]) : null;

        switch (words[0]) {
        case "put":
            put(r.key(), types[1].fromWord(words[1]), r.timestamp());
            return "ok";
        case "put-if-absent":
            return show(kv().putIfAbsent(r.key(), stored(types[1].fromWord(words[1]), r.timestamp())));
        case "put-all":
            List<KeyValue<Object, Object>> pairs = new ArrayList<>();

            for (int i = 1; i + 1 < words.length; i += 2)
                pairs.add(KeyValue.pair(types[0].fromWord(words[i]),
                                        stored(types[1].fromWord(words[i + 1]), r.timestamp())));
            kv().putAll(pairs);
            return "ok";
        case "delete": return show(kv().delete(r.key()));
        case "get": return show(kv().get(r.key()));
        case "range": return rows(kv().range(a, b));
        case "reverse-range": return rows(kv().reverseRange(a, b));
        case "all": return rows(kv().all());
        case "reverse-all": return rows(kv().reverseAll());
        case "prefix": return rows(kv().prefixScan(words[1], new StringSerializer()));
        default: throw new CaseException("no such command: " + words[0]);
        }
    }

    @SuppressWarnings("unchecked")
    private String window(Record<Object, Object> r, String[] words) {
        WindowStore<Object, Object> windows = (WindowStore<Object, Object>) store;
        Type[] types = build.storeTypes.get(word(1));
        Object key = r.key();

        switch (words[0]) {
        case "put":
            windows.put(key, stored(types[1].fromWord(words[1]), r.timestamp()), number(words[2]));
            return "ok";
        case "get": return show(windows.fetch(key, number(words[1])));
        case "fetch": return rows(windows.fetch(key, number(words[1]), number(words[2])));
        case "backward-fetch": return rows(windows.backwardFetch(key, number(words[1]), number(words[2])));
        case "fetch-keys":
            return rows(windows.fetch(types[0].fromWord(words[1]), types[0].fromWord(words[2]), number(words[3]),
                                      number(words[4])));
        case "backward-fetch-keys":
            return rows(windows.backwardFetch(types[0].fromWord(words[1]), types[0].fromWord(words[2]),
                                              number(words[3]), number(words[4])));
        case "fetch-all": return rows(windows.fetchAll(number(words[1]), number(words[2])));
        case "backward-fetch-all": return rows(windows.backwardFetchAll(number(words[1]), number(words[2])));
        case "all": return rows(windows.all());
        case "backward-all": return rows(windows.backwardAll());
        default: throw new CaseException("no such command: " + words[0]);
        }
    }

    private static long number(String word) {
        return Long.parseLong(word);
    }

    @SuppressWarnings("unchecked")
    private String session(Record<Object, Object> r, String[] words) {
        SessionStore<Object, Object> sessions = (SessionStore<Object, Object>) store;
        Type[] types = build.storeTypes.get(word(1));
        Object key = r.key();

        switch (words[0]) {
        case "put":
            sessions.put(new Windowed<>(key, new SessionWindow(number(words[2]), number(words[3]))),
                         types[1].fromWord(words[1]));
            return "ok";
        case "remove":
            sessions.remove(new Windowed<>(key, new SessionWindow(number(words[1]), number(words[2]))));
            return "ok";
        case "get": return show(sessions.fetchSession(key, number(words[1]), number(words[2])));
        case "find": return rows(sessions.findSessions(key, number(words[1]), number(words[2])));
        case "backward-find": return rows(sessions.backwardFindSessions(key, number(words[1]), number(words[2])));
        case "find-keys":
            return rows(sessions.findSessions(types[0].fromWord(words[1]), types[0].fromWord(words[2]),
                                              number(words[3]), number(words[4])));
        case "fetch": return rows(sessions.fetch(key));
        case "backward-fetch": return rows(sessions.backwardFetch(key));
        case "fetch-keys": return rows(sessions.fetch(types[0].fromWord(words[1]), types[0].fromWord(words[2])));
        default: throw new CaseException("no such command: " + words[0]);
        }
    }

    private static String show(VersionedRecord<Object> found) {
        if (found == null)
            return "null";
        String text = Type.show(found.value()) + "@" + found.timestamp();

        return found.validTo().isPresent() ? text + "-" + found.validTo().get() : text;
    }

    @SuppressWarnings("unchecked")
    private String versioned(Record<Object, Object> r, String[] words) {
        VersionedKeyValueStore<Object, Object> versions = (VersionedKeyValueStore<Object, Object>) store;
        Type[] types = build.storeTypes.get(word(1));

        switch (words[0]) {
        case "put": return Long.toString(versions.put(r.key(), types[1].fromWord(words[1]), number(words[2])));
        case "delete": return show(versions.delete(r.key(), number(words[1])));
        case "get":
            return show(words.length > 1 ? versions.get(r.key(), number(words[1])) : versions.get(r.key()));
        default: throw new CaseException("no such command: " + words[0]);
        }
    }
}
