import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Queue;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.TimestampedKeyValueStore;
import org.apache.kafka.streams.state.TimestampedWindowStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;
import org.apache.kafka.streams.state.ValueTimestampHeaders;
import org.apache.kafka.streams.state.VersionedKeyValueStore;
import org.apache.kafka.streams.state.VersionedRecord;
import org.apache.kafka.streams.state.WindowStore;

/** One case on the TopologyTestDriver: plays its steps and writes down all that can be seen, as `expect`. */
final class Play {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    final ObjectNode expect = MAPPER.createObjectNode();
    Build build;

    private final JsonNode json;
    private final Path folder;
    private final List<List<ProducerRecord<byte[], byte[]>>> sent = new ArrayList<>(); /* by step, the last: at close */
    private List<ProducerRecord<byte[], byte[]>> now = new ArrayList<>();
    private List<ProducerRecord<byte[], byte[]>> visible; /* sent by the step that failed, before it was closed */
    private TopologyTestDriver driver;

    Play(JsonNode json, Path folder) {
        this.json = json;
        this.folder = folder;
    }

    private Properties config() {
        Properties config = new Properties();
        JsonNode c = json.get("config");

        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:0");
        config.put(StreamsConfig.STATE_DIR_CONFIG, folder.toString());
        for (String name : new String[] { "application.id", "statestore.cache.max.bytes", "topology.optimization",
                                          "processing.guarantee", "ensure.explicit.internal.resource.naming" })
            if (c.has(name))
                config.put(name, c.get(name).asText());
        if (c.path("deserialization_handler").asText().equals("continue"))
            config.put(StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG,
                       org.apache.kafka.streams.errors.LogAndContinueExceptionHandler.class);
        if (c.path("processing_handler").asText().equals("continue"))
            config.put(StreamsConfig.PROCESSING_EXCEPTION_HANDLER_CLASS_CONFIG,
                       org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler.class);
        if (c.has("default_timestamp_extractor"))
            config.put(StreamsConfig.DEFAULT_TIMESTAMP_EXTRACTOR_CLASS_CONFIG,
                       Functions.extractor(c.get("default_timestamp_extractor")).getClass());
        if (c.has("outer_join_emit_interval_ms"))
            config.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_OUTER_JOIN_SPURIOUS_RESULTS_FIX,
                       c.get("outer_join_emit_interval_ms").longValue());
        if (c.has("window_close_emit_interval_ms"))
            config.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION,
                       c.get("window_close_emit_interval_ms").longValue());
        return config;
    }

    /* ---- the driver, with every send seen in its order ---- */

    private static Object field(Object of, String name) throws ReflectiveOperationException {
        Field field = of.getClass().getDeclaredField(name);

        field.setAccessible(true);
        return field.get(of);
    }

    @SuppressWarnings("unchecked")
    private void listen() throws ReflectiveOperationException {
        Field field = TopologyTestDriver.class.getDeclaredField("outputRecordsByTopic");

        field.setAccessible(true);
        field.set(driver, new HashMap<String, Queue<ProducerRecord<byte[], byte[]>>>() {
            @Override
            public Queue<ProducerRecord<byte[], byte[]>> computeIfAbsent(
                String topic, Function<? super String, ? extends Queue<ProducerRecord<byte[], byte[]>>> make) {
                return new LinkedList<>() {
                    @Override
                    public boolean add(ProducerRecord<byte[], byte[]> record) {
                        return now.add(record);
                    }
                };
            }
        });
    }

    /** After a failure: what was sent and not yet taken by the driver. */
    @SuppressWarnings("unchecked")
    private void takeRest(List<ProducerRecord<byte[], byte[]>> list) throws ReflectiveOperationException {
        list.addAll(((MockProducer<byte[], byte[]>) field(driver, "producer")).history());
    }

    private void pipe(JsonNode step) throws Throwable {
        Method method = TopologyTestDriver.class.getDeclaredMethod("pipeRecord", String.class, long.class, byte[].class,
                                                                   byte[].class, Headers.class);
        String topic = step.get("topic").textValue();
        Type[] types = build.topicTypes.get(topic);
        RecordHeaders headers = new RecordHeaders();

        if (types == null)
            throw new CaseException("no topic " + topic);
        if (step.has("headers"))
            step.get("headers").forEach(h -> headers.add(h.get(0).textValue(),
                    h.get(1).isNull() ? null : h.get(1).textValue().getBytes(StandardCharsets.UTF_8)));
        method.setAccessible(true);
        try {
            method.invoke(driver, topic, step.path("ts").asLong(), side(step, "key", types[0]),
                          side(step, "value", types[1]), headers);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private static byte[] side(JsonNode step, String name, Type type) {
        if (step.has(name + "_hex"))
            return HexFormat.of().parseHex(step.get(name + "_hex").textValue());
        return type.serde().serializer().serialize(null, type.fromJson(step.get(name)));
    }

    /* ---- the case ---- */

    void play() throws Exception {
        Properties config = config();

        build = new Build(json);
        try {
            build.declare(config);
        } catch (CaseException e) {
            throw e;
        } catch (Throwable e) {
            fail("build", -1, e);
            return;
        }
        expect.put("describe", build.topology.describe().toString());
        expect.put("subtopologies", build.topology.describe().subtopologies().size());
        expect.put("global_stores", build.topology.describe().globalStores().size());
        try {
            driver = new TopologyTestDriver(build.topology, config, java.time.Instant.ofEpochMilli(
                                                json.get("config").path("wall_clock_start").asLong(0)));
        } catch (Throwable e) {
            check(e);
            fail("start", -1, e);
            return;
        }
        listen();
        run();
    }

    /** Our own limits are no verdicts. */
    private static void check(Throwable e) {
        if (e instanceof ThreadDeath)
            throw (ThreadDeath) e;
        for (Throwable at = e; at != null; at = at.getCause())
            if (at instanceof CaseException)
                throw (CaseException) at;
    }

    private void endStep() {
        sent.add(now);
        now = new ArrayList<>();
    }

    private void run() throws Exception {
        ObjectNode error = null, stores = null;
        int step = 0;

        try {
            for (JsonNode each : json.get("steps")) {
                if (each.has("advance_ms"))
                    driver.advanceWallClockTime(Duration.ofMillis(each.get("advance_ms").longValue()));
                else
                    pipe(each);
                endStep();
                step++;
            }
            stores = stores();
        } catch (Throwable e) {
            check(e);
            error = error("run", step, e);
        }
        if (error != null) {
            visible = new ArrayList<>(now);
            takeRest(visible);
        }
        ObjectNode dropped = dropped();

        error = close(error);
        write(stores, dropped, error);
    }

    /** A failed task is closed too: what its stores still write to their changelogs counts for the failed step. */
    private ObjectNode close(ObjectNode error) throws Exception {
        try {
            driver.close();
        } catch (Throwable e) {
            check(e);
            takeRest(now);
            if (error == null)
                error = error("close", -1, e);
        }
        endStep();
        return error;
    }

    private void write(ObjectNode stores, ObjectNode dropped, ObjectNode error) {
        ArrayNode outputs = expect.putArray("outputs");
        int steps = json.get("steps").size();

        for (int i = 0; i < sent.size() && i < steps; i++)
            outputs.add(outputs(visible != null && i == sent.size() - 1 ? visible : sent.get(i)));
        if (sent.size() > steps && !outputs(sent.get(steps)).isEmpty())
            expect.set("outputs_at_close", outputs(sent.get(steps)));
        if (stores != null)
            expect.set("stores", stores);
        expect.set("dropped", dropped);
        expect.set("internal", internal());
        if (error != null)
            expect.set("error", error);
    }

    private boolean internal(String topic) {
        return !build.topicTypes.containsKey(topic);
    }

    private ArrayNode outputs(List<ProducerRecord<byte[], byte[]>> records) {
        ArrayNode list = MAPPER.createArrayNode();

        for (ProducerRecord<byte[], byte[]> record : records) {
            if (internal(record.topic()))
                continue;
            Type[] types = build.topicTypes.get(record.topic());
            ObjectNode out = list.addObject().put("topic", record.topic());

            out.set("key", value(types[0], record.key()));
            if (types[0].inner != null)
                out.put("key_hex", Type.hex(record.key()));
            out.set("value", value(types[1], record.value()));
            out.put("ts", record.timestamp());
            headers(out, record);
        }
        return list;
    }

    private static JsonNode value(Type type, byte[] bytes) {
        return Type.toJson(bytes == null ? null : type.serde().deserializer().deserialize(null, bytes));
    }

    private static void headers(ObjectNode out, ProducerRecord<byte[], byte[]> record) {
        if (record.headers().toArray().length == 0)
            return;
        ArrayNode list = out.putArray("headers");

        for (Header header : record.headers())
            list.addArray().add(header.key()).add(Type.hex(header.value()));
    }

    private ObjectNode internal() {
        Map<String, ArrayNode> topics = new TreeMap<>();
        ObjectNode all = MAPPER.createObjectNode();

        for (int i = 0; i < sent.size(); i++)
            for (ProducerRecord<byte[], byte[]> record : sent.get(i)) {
                if (!internal(record.topic()))
                    continue;
                ObjectNode out =
                    topics.computeIfAbsent(record.topic(), t -> MAPPER.createArrayNode()).addObject().put("step", i);

                out.put("key", Type.hex(record.key())).put("value", Type.hex(record.value()));
                out.put("ts", record.timestamp());
                headers(out, record);
            }
        topics.forEach(all::set);
        return all;
    }

    private ObjectNode dropped() {
        Map<String, Long> tasks = new TreeMap<>();
        ObjectNode all = MAPPER.createObjectNode();

        driver.metrics().forEach((name, metric) -> {
            if (name.name().equals("dropped-records-total"))
                tasks.merge(name.tags().get("task-id"), ((Double) metric.metricValue()).longValue(), Long::sum);
        });
        tasks.forEach(all::put);
        return all;
    }

    /* ---- stores ---- */

    private ObjectNode stores() {
        ObjectNode all = MAPPER.createObjectNode();
        Map<String, StateStore> stores = new TreeMap<>(driver.getAllStateStores());

        stores.forEach((name, store) -> {
            ObjectNode rows = store(name, store);

            if (rows != null)
                all.set(name, rows);
        });
        return all;
    }

    private static ObjectNode typed(String type) {
        return MAPPER.createObjectNode().put("type", type);
    }

    /** null = not listed. */
    private ObjectNode store(String name, StateStore store) {
        if (store instanceof VersionedKeyValueStore)
            return versioned(name, (VersionedKeyValueStore<?, ?>) store);
        if (store instanceof TimestampedKeyValueStore)
            return rows(typed("timestamped_key_value"), ((KeyValueStore<?, ?>) store).all());
        if (store instanceof ReadOnlyKeyValueStore)
            return keyValue((KeyValueStore<?, ?>) store);
        if (store instanceof TimestampedWindowStore)
            return rows(typed("timestamped_window"), ((WindowStore<?, ?>) store).all());
        if (store instanceof WindowStore)
            return rows(typed("window"), ((WindowStore<?, ?>) store).all());
        if (store instanceof SessionStore)
            return rows(typed("session"), ((SessionStore<?, ?>) store).fetch(null, null));
        return null;
    }

    private static ObjectNode keyValue(KeyValueStore<?, ?> store) {
        try {
            return rows(typed("key_value"), store.all());
        } catch (ClassCastException e) {
            return typed("opaque");
        }
    }

    private static ObjectNode rows(ObjectNode typed, KeyValueIterator<?, ?> rows) {
        ArrayNode list = typed.putArray("rows");

        try (rows) {
            while (rows.hasNext()) {
                org.apache.kafka.streams.KeyValue<?, ?> row = rows.next();
                ObjectNode out = list.addObject();
                Object value = row.value;

                if (row.key instanceof Windowed && !typed.get("type").textValue().endsWith("key_value")) {
                    Windowed<?> windowed = (Windowed<?>) row.key;

                    out.set("key", Type.toJson(windowed.key()));
                    out.put("start", windowed.window().start()).put("end", windowed.window().end());
                } else {
                    out.set("key", Type.toJson(row.key));
                }
                if (value instanceof ValueAndTimestamp) {
                    out.set("value", Type.toJson(((ValueAndTimestamp<?>) value).value()));
                    out.put("ts", ((ValueAndTimestamp<?>) value).timestamp());
                } else if (value instanceof ValueTimestampHeaders) { /* what join stores keep */
                    ValueTimestampHeaders<?> kept = (ValueTimestampHeaders<?>) value;

                    out.set("value", Type.toJson(kept.value()));
                    if (kept.timestamp() >= 0)
                        out.put("ts", kept.timestamp());
                } else {
                    out.set("value", Type.toJson(value));
                }
            }
        } catch (ClassCastException | IllegalArgumentException e) {
            return typed("opaque");
        }
        return typed;
    }

    /** Versioned stores have no iteration: keys and times are those of all records sent to their changelog. */
    @SuppressWarnings("unchecked")
    private ObjectNode versioned(String name, VersionedKeyValueStore<?, ?> store) {
        VersionedKeyValueStore<Object, Object> versions = (VersionedKeyValueStore<Object, Object>) store;
        ObjectNode typed = typed("versioned");
        ArrayNode rows = typed.putArray("rows"), asOf = typed.putArray("as_of");
        Map<String, byte[]> keys = new TreeMap<>();
        TreeSet<Long> times = new TreeSet<>();

        for (List<ProducerRecord<byte[], byte[]>> step : sent)
            for (ProducerRecord<byte[], byte[]> record : step)
                if (record.topic().endsWith("-" + name + "-changelog")) {
                    keys.put(Type.hex(record.key()), record.key());
                    times.add(record.timestamp());
                }
        for (byte[] bytes : keys.values()) {
            Object key = Type.of("string").serde().deserializer().deserialize(null, bytes);
            VersionedRecord<Object> last = versions.get(key);

            if (last != null)
                version(rows.addObject(), key, last);
            for (long time : times) {
                ObjectNode out = asOf.addObject();

                out.set("key", Type.toJson(key));
                out.put("as_of", time);
                VersionedRecord<Object> then = versions.get(key, time);

                if (then == null)
                    out.putNull("value");
                else
                    version(out, key, then);
            }
        }
        return typed;
    }

    private static void version(ObjectNode out, Object key, VersionedRecord<Object> version) {
        out.set("key", Type.toJson(key));
        out.set("value", Type.toJson(version.value()));
        out.put("ts", version.timestamp());
        version.validTo().ifPresent(end -> out.put("valid_to", end));
    }

    /* ---- errors ---- */

    private void fail(String stage, int step, Throwable e) {
        expect.set("error", error(stage, step, e));
    }

    private static ObjectNode error(String stage, int step, Throwable e) {
        ObjectNode error = MAPPER.createObjectNode().put("stage", stage);
        Throwable root = e;

        while (root.getCause() != null && root.getCause() != root)
            root = root.getCause();
        if (step >= 0)
            error.put("step", step);
        error.put("kind", kind(root)).put("exception", e.getClass().getSimpleName());
        return error.put("root", root.getClass().getSimpleName()).put("message", root.getMessage());
    }

    private static String kind(Throwable e) {
        String name = e.getClass().getSimpleName();

        switch (name) {
        case "TopologyException": return "topology";
        case "IllegalArgumentException": return "argument";
        case "NullPointerException": return "null";
        case "IllegalStateException": return "state";
        case "ConfigException": return "config";
        case "InvalidTopicException": return "name";
        case "NumberFormatException":
        case "ArithmeticException": return "function";
        case "ClassCastException": return "type";
        case "UnsupportedOperationException": return "unsupported";
        case "SerializationException": return "deserialization";
        case "InvalidStateStoreException":
        case "ProcessorStateException": return "store";
        default: return "streams";
        }
    }
}
