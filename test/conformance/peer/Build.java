import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyConfig;
import org.apache.kafka.streams.kstream.Aggregator;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.BranchedKStream;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Initializer;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.KeyValueMapper;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Merger;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Predicate;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Reducer;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.SessionWindowedCogroupedKStream;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.kstream.TimeWindowedCogroupedKStream;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.UnlimitedWindows;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.ValueJoinerWithKey;
import org.apache.kafka.streams.kstream.ValueMapperWithKey;
import org.apache.kafka.streams.kstream.Windows;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowBytesStoreSupplier;
import org.apache.kafka.streams.state.WindowStore;

/** A case's operators, one after the other, by the calls of Kafka Streams. Types are derived on the way. */
@SuppressWarnings({ "unchecked", "rawtypes" })
final class Build {
    /** What an operator's name stands for; key and value types of its records. */
    static final class Handle {
        final Object it;
        final Type key, value;
        JsonNode window;

        Handle(Object it, Type key, Type value) {
            this.it = it;
            this.key = key;
            this.value = value;
        }
    }

    final JsonNode json;
    StreamsBuilder builder;
    Topology topology;
    final Map<String, Handle> handles = new HashMap<>();
    final Map<String, Type[]> storeTypes = new HashMap<>(), topicTypes = new LinkedHashMap<>();
    final Map<String, Type[]> types = new LinkedHashMap<>(); /* by operator, for the case's "types" */
    final Map<String, Collection<String>> branchKeys = new TreeMap<>();

    private JsonNode op; /* the one being built */

    Build(JsonNode json) {
        this.json = json;
        json.get("topics").fields().forEachRemaining(t -> topicTypes.put(t.getKey(), new Type[] {
                Type.of(t.getValue().get("key").textValue()), Type.of(t.getValue().get("value").textValue()) }));
    }

    /** Throws what the library throws; what was declared till then stays known. */
    void declare(Properties config) {
        if (json.has("api")) {
            topology = new Topology(new TopologyConfig(new StreamsConfig(config)));
            for (JsonNode each : json.get("topology")) {
                op = each;
                api();
            }
        } else {
            builder = new StreamsBuilder(new TopologyConfig(new StreamsConfig(config)));
            for (JsonNode each : json.get("topology")) {
                op = each;
                operator();
            }
            topology = builder.build(config);
        }
    }

    /* ---- members of an operator ---- */

    private String text(String member) {
        return op.has(member) && !op.get(member).isNull() ? op.get(member).textValue() : null;
    }

    private String text(String member, String otherwise) {
        return text(member) == null ? otherwise : text(member);
    }

    private static Duration ms(JsonNode json) {
        return Duration.ofMillis(json.longValue());
    }

    private Named named() {
        return text("named") == null ? null : Named.as(text("named"));
    }

    private Handle handle(String member) {
        Handle handle = handles.get(text(member, ""));

        if (handle == null)
            throw new CaseException("no handle " + text(member));
        return handle;
    }

    private Type[] topic(String name) {
        if (!topicTypes.containsKey(name))
            throw new CaseException("no topic " + name);
        return topicTypes.get(name);
    }

    private Functions.Mapper mapper(String member) {
        return Functions.mapper(op.get(member));
    }

    private List<String> words(String member) {
        List<String> words = new ArrayList<>();

        if (op.has(member))
            op.get(member).forEach(word -> words.add(word.textValue()));
        return words;
    }

    private List<String> topics() {
        return op.has("topics") ? words("topics") : List.of(text("topic"));
    }

    private void result(Object it, Type key, Type value) {
        handles.put(text("name"), new Handle(it, key, value));
        types.put(text("name"), new Type[] { key, value });
    }

    /* ---- operators of the DSL ---- */

    private void operator() {
        String word = text("op");

        switch (word) {
        case "stream": stream(); return;
        case "table": table(); return;
        case "global_table": globalTable(); return;
        case "add_store": builder.addStateStore(declared(op.get("store"), true)); return;
        case "global_store": globalStore(); return;
        default:
        }
        Handle from = handle("from");

        switch (word) {
        case "filter":
        case "filter_not": filter(from, word.equals("filter")); return;
        case "map_values": mapValues(from); return;
        case "select_key": selectKey(from); return;
        case "map": map(from); return;
        case "flat_map":
        case "flat_map_values": flat(from, word.equals("flat_map")); return;
        case "peek":
        case "foreach": watch(from, word.equals("peek")); return;
        case "merge": merge(from); return;
        case "split": split(from); return;
        case "to": to(from); return;
        case "repartition": repartition(from); return;
        case "to_table": toTable(from); return;
        case "to_stream": toStream(from); return;
        case "group_by_key":
            result(((KStream) from.it).groupByKey(grouped(from.key, from.value)), from.key, from.value);
            return;
        case "group_by": groupBy(from); return;
        case "window": window(from); return;
        case "cogroup": cogroup(from); return;
        case "count":
        case "reduce":
        case "aggregate": fold(from, word); return;
        case "process":
        case "process_values": process(from, word.equals("process")); return;
        case "join":
        case "left_join":
        case "outer_join": join(from, word); return;
        case "suppress": suppress(from); return;
        default: throw new CaseException("no such operator: " + word);
        }
    }

    private Consumed consumed(Type key, Type value) {
        Consumed consumed = Consumed.with(key.serde(), value.serde());

        if (op.has("extractor"))
            consumed = consumed.withTimestampExtractor(Functions.extractor(op.get("extractor")));
        if (text("offset_reset") != null)
            consumed = consumed.withOffsetResetPolicy(reset(text("offset_reset")));
        return text("named") == null ? consumed : consumed.withName(text("named"));
    }

    private static AutoOffsetReset reset(String word) {
        switch (word) {
        case "earliest": return AutoOffsetReset.earliest();
        case "latest": return AutoOffsetReset.latest();
        case "none": return AutoOffsetReset.none();
        default: throw new CaseException("no such offset reset: " + word);
        }
    }

    private void stream() {
        Type[] t = topic(topics().get(0));

        result(builder.stream(topics(), consumed(t[0], t[1])), t[0], t[1]);
    }

    private void table() {
        Type[] t = topic(text("topic"));
        Materialized materialized = materialized(t[0], t[1], null);

        result(op.has("store") ? builder.table(text("topic"), consumed(t[0], t[1]), materialized)
                               : builder.table(text("topic"), consumed(t[0], t[1])), t[0], t[1]);
    }

    private void globalTable() {
        Type[] t = topic(text("topic"));
        Materialized materialized = materialized(t[0], t[1], null);

        result(op.has("store") ? builder.globalTable(text("topic"), consumed(t[0], t[1]), materialized)
                               : builder.globalTable(text("topic"), consumed(t[0], t[1])), t[0], t[1]);
    }

    private void globalStore() {
        Type[] t = topic(text("topic"));
        JsonNode fn = op.get("processor");

        builder.addGlobalStore(declared(op.get("store"), false), text("topic"), consumed(t[0], t[1]),
                               () -> (org.apache.kafka.streams.processor.api.Processor) Processors.free(fn, this));
    }

    private void filter(Handle from, boolean keep) {
        Functions.Test test = Functions.predicate(op.get("fn"));
        Predicate<Object, Object> predicate = test::holds;
        Named named = named();

        if (from.it instanceof KStream) {
            KStream<Object, Object> s = (KStream) from.it;

            result(named == null ? keep ? s.filter(predicate) : s.filterNot(predicate)
                                 : keep ? s.filter(predicate, named) : s.filterNot(predicate, named),
                   from.key, from.value);
            return;
        }
        KTable<Object, Object> t = (KTable) from.it;
        Materialized m = op.has("store") ? materialized(from.key, from.value, null) : null;

        if (m == null)
            result(named == null ? keep ? t.filter(predicate) : t.filterNot(predicate)
                                 : keep ? t.filter(predicate, named) : t.filterNot(predicate, named),
                   from.key, from.value);
        else
            result(named == null ? keep ? t.filter(predicate, m) : t.filterNot(predicate, m)
                                 : keep ? t.filter(predicate, named, m) : t.filterNot(predicate, named, m),
                   from.key, from.value);
    }

    private void mapValues(Handle from) {
        Functions.Mapper mapper = mapper("fn");
        ValueMapperWithKey<Object, Object, Object> fn = mapper::apply;
        Type value = Functions.resultType(op.get("fn"), from.key, from.value);
        Named named = named();

        if (from.it instanceof KStream) {
            KStream<Object, Object> s = (KStream) from.it;

            result(named == null ? s.mapValues(fn) : s.mapValues(fn, named), from.key, value);
            return;
        }
        KTable<Object, Object> t = (KTable) from.it;

        if (op.has("store")) {
            Materialized m = materialized(from.key, value, null);

            result(named == null ? t.mapValues(fn, m) : t.mapValues(fn, named, m), from.key, value);
        } else {
            result(named == null ? t.mapValues(fn) : t.mapValues(fn, named), from.key, value);
        }
    }

    private void selectKey(Handle from) {
        Functions.Mapper mapper = mapper("fn");
        KeyValueMapper<Object, Object, Object> fn = mapper::apply;
        KStream<Object, Object> s = (KStream) from.it;

        result(named() == null ? s.selectKey(fn) : s.selectKey(fn, named()),
               Functions.resultType(op.get("fn"), from.key, from.value), from.value);
    }

    private void map(Handle from) {
        Functions.Mapper key = mapper("key_fn"), value = mapper("value_fn");
        KeyValueMapper<Object, Object, KeyValue<Object, Object>> fn =
            (k, v) -> KeyValue.pair(key.apply(k, v), value.apply(k, v));
        KStream<Object, Object> s = (KStream) from.it;

        result(named() == null ? s.map(fn) : s.map(fn, named()),
               Functions.resultType(op.get("key_fn"), from.key, from.value),
               Functions.resultType(op.get("value_fn"), from.key, from.value));
    }

    private void flat(Handle from, boolean keys) {
        Functions.Flat fn = Functions.flat(op.get("fn"));
        KStream<Object, Object> s = (KStream) from.it;

        if (keys) {
            KeyValueMapper<Object, Object, Iterable<KeyValue<Object, Object>>> pairs = fn::apply;
            boolean words = op.get("fn").get(0).textValue().equals("words");

            result(named() == null ? s.flatMap(pairs) : s.flatMap(pairs, named()),
                   words ? Type.of("string") : from.key, from.value);
            return;
        }
        ValueMapperWithKey<Object, Object, Iterable<Object>> values = (k, v) -> {
            List<Object> all = new ArrayList<>();

            fn.apply(k, v).forEach(pair -> all.add(pair.value));
            return all;
        };
        result(named() == null ? s.flatMapValues(values) : s.flatMapValues(values, named()), from.key, from.value);
    }

    private void watch(Handle from, boolean peek) {
        KStream<Object, Object> s = (KStream) from.it;

        if (peek)
            result(named() == null ? s.peek((k, v) -> { }) : s.peek((k, v) -> { }, named()), from.key, from.value);
        else if (named() == null)
            s.foreach((k, v) -> { });
        else
            s.foreach((k, v) -> { }, named());
    }

    private void merge(Handle from) {
        KStream<Object, Object> s = (KStream) from.it, other = (KStream) handle("with").it;

        result(named() == null ? s.merge(other) : s.merge(other, named()), from.key, from.value);
    }

    private void split(Handle from) {
        KStream<Object, Object> s = (KStream) from.it;
        BranchedKStream<Object, Object> split = named() == null ? s.split() : s.split(named());
        String otherwise = text("default", "none"), name = text("name");
        Map<String, KStream<Object, Object>> branches;

        for (JsonNode branch : op.get("branches")) {
            Functions.Test test = Functions.predicate(branch.get("fn"));

            if (branch.has("as"))
                split = split.branch(test::holds, Branched.as(branch.get("as").textValue()));
            else
                split = split.branch(test::holds);
        }
        branches = otherwise.equals("none") ? split.noDefaultBranch()
                   : otherwise.equals("unnamed") ? split.defaultBranch() : split.defaultBranch(Branched.as(otherwise));
        branchKeys.put(name, new TreeSet<>(branches.keySet()));
        branches.forEach((key, stream) -> {
            String prefix = named() == null ? "KSTREAM-BRANCH-0000000000" : "";

            handles.put(name + "." + key.substring(prefix.length()), new Handle(stream, from.key, from.value));
        });
    }

    /** An output topic that the case does not list has the types that reach it. */
    private void reached(String topic, Handle from) {
        topicTypes.putIfAbsent(topic, new Type[] { from.key, from.value });
    }

    private void to(Handle from) {
        KStream<Object, Object> s = (KStream) from.it;
        Produced produced = Produced.with(from.key.serde(), from.value.serde());

        if (text("named") != null)
            produced = produced.withName(text("named"));
        if (!op.has("topic_fn")) {
            reached(text("topic"), from);
            s.to(text("topic"), produced);
            return;
        }
        Functions.Mapper fn = mapper("topic_fn");

        words("topics").forEach(topic -> reached(topic, from));
        s.to(new org.apache.kafka.streams.processor.TopicNameExtractor<Object, Object>() {
            @Override
            public String extract(Object k, Object v, org.apache.kafka.streams.processor.RecordContext context) {
                return (String) fn.apply(k, v);
            }

            @Override
            public String toString() {
                return "topic_fn";
            }
        }, produced);
    }

    private void repartition(Handle from) {
        Repartitioned repartitioned = Repartitioned.with(from.key.serde(), from.value.serde());

        if (text("named") != null)
            repartitioned = repartitioned.withName(text("named"));
        if (op.has("partitions"))
            repartitioned = repartitioned.withNumberOfPartitions(op.get("partitions").intValue());
        result(((KStream) from.it).repartition(repartitioned), from.key, from.value);
    }

    private void toTable(Handle from) {
        Materialized m = materialized(from.key, from.value, null);
        KStream s = (KStream) from.it;

        result(named() == null ? s.toTable(m) : s.toTable(named(), m), from.key, from.value);
    }

    private void toStream(Handle from) {
        KTable<Object, Object> t = (KTable) from.it;

        if (!op.has("key_fn")) {
            result(named() == null ? t.toStream() : t.toStream(named()), from.key, from.value);
            return;
        }
        Functions.Mapper mapper = mapper("key_fn");
        KeyValueMapper<Object, Object, Object> fn = mapper::apply;

        result(named() == null ? t.toStream(fn) : t.toStream(fn, named()),
               Functions.resultType(op.get("key_fn"), from.key, from.value), from.value);
    }

    /* ---- grouping and folding ---- */

    private Grouped grouped(Type key, Type value) {
        Grouped grouped = Grouped.with(key.serde(), value.serde());

        return text("named") == null ? grouped : grouped.withName(text("named"));
    }

    private void groupBy(Handle from) {
        if (from.it instanceof KStream) {
            Functions.Mapper mapper = mapper("fn");
            KeyValueMapper<Object, Object, Object> fn = mapper::apply;
            Type key = Functions.resultType(op.get("fn"), from.key, from.value);

            result(((KStream<Object, Object>) from.it).groupBy(fn, grouped(key, from.value)), key, from.value);
            return;
        }
        Functions.Mapper keys = mapper("key_fn"), values = mapper("value_fn");
        Type key = Functions.resultType(op.get("key_fn"), from.key, from.value);
        Type value = Functions.resultType(op.get("value_fn"), from.key, from.value);
        KeyValueMapper<Object, Object, KeyValue<Object, Object>> fn =
            (k, v) -> KeyValue.pair(keys.apply(k, v), values.apply(k, v));

        result(((KTable<Object, Object>) from.it).groupBy(fn, grouped(key, value)), key, value);
    }

    private static Object windows(JsonNode w) {
        boolean graced = w.has("grace");
        Duration grace = graced ? ms(w.get("grace")) : null;

        switch (w.get("type").textValue()) {
        case "tumbling":
        case "hopping":
            TimeWindows time = graced ? TimeWindows.ofSizeAndGrace(ms(w.get("size")), grace)
                                      : TimeWindows.ofSizeWithNoGrace(ms(w.get("size")));

            return w.has("advance") ? time.advanceBy(ms(w.get("advance"))) : time;
        case "sliding":
            return graced ? SlidingWindows.ofTimeDifferenceAndGrace(ms(w.get("diff")), grace)
                          : SlidingWindows.ofTimeDifferenceWithNoGrace(ms(w.get("diff")));
        case "session":
            return graced ? SessionWindows.ofInactivityGapAndGrace(ms(w.get("gap")), grace)
                          : SessionWindows.ofInactivityGapWithNoGrace(ms(w.get("gap")));
        case "unlimited":
            return w.has("start") ? UnlimitedWindows.of().startOn(java.time.Instant.ofEpochMilli(w.get("start").longValue()))
                                  : UnlimitedWindows.of();
        default: throw new CaseException("no such window: " + w);
        }
    }

    private void window(Handle from) {
        Object windows = windows(op.get("window")), result;
        boolean close = text("emit", "").equals("close");

        if (from.it instanceof KGroupedStream) {
            KGroupedStream g = (KGroupedStream) from.it;

            if (windows instanceof SessionWindows) {
                SessionWindowedKStream w = g.windowedBy((SessionWindows) windows);

                result = close ? w.emitStrategy(EmitStrategy.onWindowClose()) : w;
            } else {
                TimeWindowedKStream w = windows instanceof SlidingWindows ? g.windowedBy((SlidingWindows) windows)
                                                                          : g.windowedBy((Windows) windows);

                result = close ? w.emitStrategy(EmitStrategy.onWindowClose()) : w;
            }
        } else {
            CogroupedKStream g = (CogroupedKStream) from.it;

            result = windows instanceof SessionWindows   ? g.windowedBy((SessionWindows) windows)
                     : windows instanceof SlidingWindows ? g.windowedBy((SlidingWindows) windows)
                                                         : (Object) g.windowedBy((Windows) windows);
        }
        result(result, from.key, from.value);
        handles.get(text("name")).window = op.get("window");
    }

    private Aggregator<Object, Object, Object> aggregator(String member) {
        Functions.Fold fold = Functions.fold(op.get(member));

        return (k, v, agg) -> fold.apply(k, agg, v);
    }

    private Reducer<Object> reducer(String member) {
        Functions.Fold fold = Functions.fold(op.get(member));

        return (a, b) -> fold.apply(null, a, b);
    }

    private void cogroup(Handle from) {
        if (from.it instanceof CogroupedKStream) {
            result(((CogroupedKStream) from.it).cogroup((KGroupedStream) handle("with").it, aggregator("fn")), from.key,
                   from.value);
            return;
        }
        result(((KGroupedStream) from.it).cogroup(aggregator("fn")), from.key, Type.of(text("value")));
    }

    private static Type windowedKey(Handle from) {
        JsonNode w = from.window;

        if (w == null)
            return from.key;
        switch (w.get("type").textValue()) {
        case "session": return Type.sessioned(from.key);
        case "unlimited": return Type.windowed(from.key, Long.MAX_VALUE);
        case "sliding": return Type.windowed(from.key, w.get("diff").longValue());
        default: return Type.windowed(from.key, w.get("size").longValue());
        }
    }

    private void fold(Handle from, String word) {
        Type value = word.equals("count") ? Type.of("long")
                     : word.equals("aggregate") && op.has("value") ? Type.of(text("value")) : from.value;
        Materialized m = materialized(from.key, value, from.window);
        Named named = named();

        result(word.equals("count")    ? count(from.it, named, m)
               : word.equals("reduce") ? reduce(from.it, named, m) : aggregate(from.it, value, named, m),
               windowedKey(from), value);
    }

    private Object count(Object it, Named n, Materialized m) {
        if (it instanceof KGroupedStream)
            return n == null ? ((KGroupedStream) it).count(m) : ((KGroupedStream) it).count(n, m);
        if (it instanceof KGroupedTable)
            return n == null ? ((KGroupedTable) it).count(m) : ((KGroupedTable) it).count(n, m);
        if (it instanceof SessionWindowedKStream)
            return n == null ? ((SessionWindowedKStream) it).count(m) : ((SessionWindowedKStream) it).count(n, m);
        return n == null ? ((TimeWindowedKStream) it).count(m) : ((TimeWindowedKStream) it).count(n, m);
    }

    private Object reduce(Object it, Named n, Materialized m) {
        if (it instanceof KGroupedTable) {
            KGroupedTable g = (KGroupedTable) it;

            return n == null ? g.reduce(reducer("adder"), reducer("subtractor"), m)
                             : g.reduce(reducer("adder"), reducer("subtractor"), n, m);
        }
        Reducer r = reducer("fn");

        if (it instanceof KGroupedStream)
            return n == null ? ((KGroupedStream) it).reduce(r, m) : ((KGroupedStream) it).reduce(r, n, m);
        if (it instanceof SessionWindowedKStream)
            return n == null ? ((SessionWindowedKStream) it).reduce(r, m) : ((SessionWindowedKStream) it).reduce(r, n, m);
        return n == null ? ((TimeWindowedKStream) it).reduce(r, m) : ((TimeWindowedKStream) it).reduce(r, n, m);
    }

    private Merger<Object, Object> merger() {
        Functions.Fold fold = Functions.fold(op.get("merger"));

        return fold::apply;
    }

    private Object aggregate(Object it, Type value, Named n, Materialized m) {
        JsonNode first = op.get("init");
        Initializer init = () -> value.fromJson(first);

        if (it instanceof KGroupedTable) {
            KGroupedTable g = (KGroupedTable) it;

            return n == null ? g.aggregate(init, aggregator("adder"), aggregator("subtractor"), m)
                             : g.aggregate(init, aggregator("adder"), aggregator("subtractor"), n, m);
        }
        if (it instanceof CogroupedKStream)
            return n == null ? ((CogroupedKStream) it).aggregate(init, m) : ((CogroupedKStream) it).aggregate(init, n, m);
        if (it instanceof TimeWindowedCogroupedKStream) {
            TimeWindowedCogroupedKStream w = (TimeWindowedCogroupedKStream) it;

            return n == null ? w.aggregate(init, m) : w.aggregate(init, n, m);
        }
        if (it instanceof SessionWindowedCogroupedKStream) {
            SessionWindowedCogroupedKStream w = (SessionWindowedCogroupedKStream) it;

            return n == null ? w.aggregate(init, merger(), m) : w.aggregate(init, merger(), n, m);
        }
        Aggregator a = aggregator("fn");

        if (it instanceof KGroupedStream)
            return n == null ? ((KGroupedStream) it).aggregate(init, a, m)
                             : ((KGroupedStream) it).aggregate(init, a, n, m);
        if (it instanceof SessionWindowedKStream) {
            SessionWindowedKStream w = (SessionWindowedKStream) it;

            return n == null ? w.aggregate(init, a, merger(), m) : w.aggregate(init, a, merger(), n, m);
        }
        TimeWindowedKStream w = (TimeWindowedKStream) it;

        return n == null ? w.aggregate(init, a, m) : w.aggregate(init, a, n, m);
    }

    /* ---- processors, joins, suppression ---- */

    private void process(Handle from, boolean free) {
        JsonNode fn = op.get("processor");
        KStream s = (KStream) from.it;
        String[] stores = words("stores").toArray(new String[0]);
        Type[] types = Processors.results(fn, this, from.key, from.value);
        Named n = named();

        if (free) {
            org.apache.kafka.streams.processor.api.ProcessorSupplier supplier = () -> Processors.free(fn, this);

            result(n == null ? s.process(supplier, stores) : s.process(supplier, n, stores), types[0], types[1]);
        } else {
            org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier supplier = () -> Processors.fixed(fn, this);

            result(n == null ? s.processValues(supplier, stores) : s.processValues(supplier, n, stores), types[0],
                   types[1]);
        }
    }

    private void join(Handle from, String word) {
        Handle with = handle("with");
        Functions.Fold fold = Functions.fold(op.get("joiner"));
        Type value = Functions.joinedType(op.get("joiner"), from.value, with.value);
        Object result;

        if (from.it instanceof KTable)
            result = op.has("fk") ? joinForeign(from, with, fold, value, word) : joinTables(from, with, fold, value, word);
        else if (with.it instanceof GlobalKTable)
            result = joinGlobal(from, with, fold, word);
        else if (with.it instanceof KTable)
            result = joinTable(from, with, fold, word);
        else
            result = joinStreams(from, with, fold, word);
        result(result, from.key, value);
    }

    private Object joinTables(Handle from, Handle with, Functions.Fold fold, Type value, String word) {
        ValueJoiner<Object, Object, Object> j = (a, b) -> fold.apply(null, a, b);
        KTable l = (KTable) from.it, r = (KTable) with.it;
        Named n = named();

        if (!op.has("store")) {
            switch (word) {
            case "join": return n == null ? l.join(r, j) : l.join(r, j, n);
            case "left_join": return n == null ? l.leftJoin(r, j) : l.leftJoin(r, j, n);
            default: return n == null ? l.outerJoin(r, j) : l.outerJoin(r, j, n);
            }
        }
        Materialized m = materialized(from.key, value, null);

        switch (word) {
        case "join": return n == null ? l.join(r, j, m) : l.join(r, j, n, m);
        case "left_join": return n == null ? l.leftJoin(r, j, m) : l.leftJoin(r, j, n, m);
        default: return n == null ? l.outerJoin(r, j, m) : l.outerJoin(r, j, n, m);
        }
    }

    private Object joinForeign(Handle from, Handle with, Functions.Fold fold, Type value, String word) {
        ValueJoiner<Object, Object, Object> j = (a, b) -> fold.apply(null, a, b);
        Functions.Mapper mapper = mapper("fk");
        java.util.function.BiFunction<Object, Object, Object> fk = mapper::apply;
        KTable l = (KTable) from.it, r = (KTable) with.it;
        Materialized m = materialized(from.key, value, null);
        TableJoined n = text("named") == null ? null : TableJoined.as(text("named"));

        if (word.equals("join"))
            return n == null ? l.join(r, fk, j, m) : l.join(r, fk, j, n, m);
        return n == null ? l.leftJoin(r, fk, j, m) : l.leftJoin(r, fk, j, n, m);
    }

    private Object joinGlobal(Handle from, Handle with, Functions.Fold fold, String word) {
        ValueJoinerWithKey<Object, Object, Object, Object> j = fold::apply;
        Functions.Mapper mapper = mapper("key_fn");
        KeyValueMapper<Object, Object, Object> key = mapper::apply;
        KStream s = (KStream) from.it;
        GlobalKTable t = (GlobalKTable) with.it;
        Named n = named();

        if (word.equals("join"))
            return n == null ? s.join(t, key, j) : s.join(t, key, j, n);
        return n == null ? s.leftJoin(t, key, j) : s.leftJoin(t, key, j, n);
    }

    private Object joinTable(Handle from, Handle with, Functions.Fold fold, String word) {
        ValueJoinerWithKey<Object, Object, Object, Object> j = fold::apply;
        Joined joined = Joined.with(from.key.serde(), from.value.serde(), with.value.serde());
        KStream s = (KStream) from.it;

        if (text("named") != null)
            joined = joined.withName(text("named"));
        if (op.has("grace"))
            joined = joined.withGracePeriod(ms(op.get("grace")));
        return word.equals("join") ? s.join((KTable) with.it, j, joined) : s.leftJoin((KTable) with.it, j, joined);
    }

    private static JoinWindows joinWindows(JsonNode w) {
        long before = w.path("before").asLong(0), after = w.path("after").asLong(0);
        Duration diff = Duration.ofMillis(w.path("diff").asLong(Math.max(before, after)));
        JoinWindows windows = w.has("grace") ? JoinWindows.ofTimeDifferenceAndGrace(diff, ms(w.get("grace")))
                                             : JoinWindows.ofTimeDifferenceWithNoGrace(diff);

        if (w.has("before"))
            windows = windows.before(ms(w.get("before")));
        return w.has("after") ? windows.after(ms(w.get("after"))) : windows;
    }

    private static WindowBytesStoreSupplier joinStore(JsonNode s) {
        return Stores.persistentWindowStore(s.get("name").textValue(), ms(s.get("retention")), ms(s.get("window_size")),
                                            s.path("retain_duplicates").asBoolean());
    }

    private Object joinStreams(Handle from, Handle with, Functions.Fold fold, String word) {
        ValueJoinerWithKey<Object, Object, Object, Object> j = fold::apply;
        JoinWindows w = joinWindows(op.get("window"));
        StreamJoined joined = StreamJoined.with(from.key.serde(), from.value.serde(), with.value.serde());
        KStream l = (KStream) from.it, r = (KStream) with.it;

        if (text("named") != null)
            joined = joined.withName(text("named"));
        if (text("store_name") != null)
            joined = joined.withStoreName(text("store_name"));
        if (text("store_kind", "").equals("in_memory"))
            joined = joined.withDslStoreSuppliers(BuiltInDslStoreSuppliers.IN_MEMORY);
        if (op.has("log") && !op.get("log").booleanValue())
            joined = joined.withLoggingDisabled();
        if (op.has("this_store"))
            joined = joined.withThisStoreSupplier(joinStore(op.get("this_store")));
        if (op.has("other_store"))
            joined = joined.withOtherStoreSupplier(joinStore(op.get("other_store")));
        switch (word) {
        case "join": return l.join(r, j, w, joined);
        case "left_join": return l.leftJoin(r, j, w, joined);
        default: return l.outerJoin(r, j, w, joined);
        }
    }

    private void suppress(Handle from) {
        JsonNode buffer = op.path("buffer");
        String full = buffer.path("full").asText("unbounded");
        boolean close = text("until").equals("window_close");
        Suppressed.BufferConfig config;

        if (full.equals("unbounded")) {
            config = Suppressed.BufferConfig.unbounded();
        } else {
            Suppressed.EagerBufferConfig eager =
                buffer.has("max_records") ? Suppressed.BufferConfig.maxRecords(buffer.get("max_records").longValue())
                                          : Suppressed.BufferConfig.maxBytes(buffer.get("max_bytes").longValue());

            if (buffer.has("max_records") && buffer.has("max_bytes"))
                eager = eager.withMaxBytes(buffer.get("max_bytes").longValue());
            config = full.equals("emit_early") ? eager.emitEarlyWhenFull() : eager.shutDownWhenFull();
        }
        if (buffer.has("log") && !buffer.get("log").booleanValue())
            config = config.withLoggingDisabled();
        Suppressed suppressed = close ? Suppressed.untilWindowCloses((Suppressed.StrictBufferConfig) config)
                                      : Suppressed.untilTimeLimit(ms(op.get("ms")), config);

        if (text("named") != null)
            suppressed = ((org.apache.kafka.streams.kstream.internals.suppress.NamedSuppressed<?>) suppressed)
                             .withName(text("named"));
        result(((KTable) from.it).suppress(suppressed), from.key, from.value);
    }

    /* ---- stores ---- */

    /** The operator's "store": without one the serdes alone. */
    private Materialized materialized(Type key, Type value, JsonNode window) {
        JsonNode s = op.path("store"), supplier = s.path("supplier");
        String name = s.has("name") ? s.get("name").textValue() : null;
        Serde<Object> keys = key.serde(), values = value.serde();
        Materialized m;

        if (s.has("versioned"))
            m = Materialized.as(Stores.persistentVersionedKeyValueStore(name, ms(s.get("versioned"))));
        else if (supplier.path("kind").asText().equals("plain_kv"))
            m = Materialized.as(Stores.persistentKeyValueStore(name));
        else if (supplier.path("kind").asText().equals("lru"))
            m = Materialized.as(Stores.lruMap(name, supplier.get("max").intValue()));
        else if (supplier.path("kind").asText().equals("window"))
            m = Materialized.as(Stores.persistentWindowStore(name, ms(supplier.get("retention")),
                                                             ms(supplier.get("window_size")), false));
        else
            m = name != null ? Materialized.as(name) : Materialized.with(keys, values);
        m = m.withKeySerde(keys).withValueSerde(values);
        if (s.path("kind").asText().equals("in_memory"))
            m = m.withStoreType(Materialized.StoreType.IN_MEMORY);
        if (s.has("cache"))
            m = s.get("cache").booleanValue() ? m.withCachingEnabled() : m.withCachingDisabled();
        if (s.has("log"))
            m = s.get("log").booleanValue() ? m.withLoggingEnabled(Map.of()) : m.withLoggingDisabled();
        if (s.has("retention"))
            m = m.withRetention(ms(s.get("retention")));
        return m;
    }

    /** A store of the processor API; logs = it may have a changelog. */
    private StoreBuilder declared(JsonNode s, boolean logs) {
        Type key = Type.of(s.path("key").asText("string")), value = Type.of(s.path("value").asText("string"));
        StoreBuilder store = builder(s, key.serde(), value.serde());

        storeTypes.put(s.get("name").textValue(), new Type[] { key, value });
        if (s.path("cache").asBoolean())
            store = store.withCachingEnabled();
        if (!logs || (s.has("log") && !s.get("log").booleanValue()))
            store = store.withLoggingDisabled();
        return store;
    }

    private static StoreBuilder builder(JsonNode s, Serde<Object> key, Serde<Object> value) {
        String name = s.get("name").textValue();
        boolean many = s.path("retain_duplicates").asBoolean();
        Duration retention = s.has("retention") ? ms(s.get("retention")) : null;
        Duration size = s.has("window_size") ? ms(s.get("window_size")) : null;

        switch (s.get("kind").textValue()) {
        case "kv": return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), key, value);
        case "in_memory_kv": return Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(name), key, value);
        case "lru": return Stores.keyValueStoreBuilder(Stores.lruMap(name, s.get("max").intValue()), key, value);
        case "timestamped_kv":
            return Stores.timestampedKeyValueStoreBuilder(Stores.persistentTimestampedKeyValueStore(name), key, value);
        case "window":
            return Stores.windowStoreBuilder(Stores.persistentWindowStore(name, retention, size, many), key, value);
        case "in_memory_window":
            return Stores.windowStoreBuilder(Stores.inMemoryWindowStore(name, retention, size, many), key, value);
        case "timestamped_window":
            return Stores.timestampedWindowStoreBuilder(
                Stores.persistentTimestampedWindowStore(name, retention, size, many), key, value);
        case "session": return Stores.sessionStoreBuilder(Stores.persistentSessionStore(name, retention), key, value);
        case "in_memory_session":
            return Stores.sessionStoreBuilder(Stores.inMemorySessionStore(name, retention), key, value);
        case "versioned":
            return Stores.versionedKeyValueStoreBuilder(
                s.has("segment_interval")
                    ? Stores.persistentVersionedKeyValueStore(name, ms(s.get("history")), ms(s.get("segment_interval")))
                    : Stores.persistentVersionedKeyValueStore(name, ms(s.get("history"))), key, value);
        default: throw new CaseException("no such store: " + s);
        }
    }

    /* ---- the processor API ---- */

    private void api() {
        JsonNode fn = op.get("processor");
        String[] parents = words("parents").toArray(new String[0]);

        switch (text("op")) {
        case "add_source": addSource(); return;
        case "add_processor": addProcessor(fn, parents); return;
        case "add_sink": addSink(parents); return;
        case "add_store":
            topology.addStateStore(declared(op.get("store"), true), words("processors").toArray(new String[0]));
            return;
        case "connect_stores":
            topology.connectProcessorAndStateStores(text("processor"), words("stores").toArray(new String[0]));
            return;
        case "add_global_store":
        case "add_read_only_store": addOneTopicStore(fn, text("op").equals("add_global_store")); return;
        default: throw new CaseException("no such operator: " + text("op"));
        }
    }

    private void addSource() {
        Type[] t = topic(topics().get(0));
        TimestampExtractor extractor = op.has("extractor") ? Functions.extractor(op.get("extractor")) : null;
        String[] topics = topics().toArray(new String[0]);

        if (extractor == null)
            topology.addSource(text("name"), t[0].serde().deserializer(), t[1].serde().deserializer(), topics);
        else
            topology.addSource((AutoOffsetReset) null, text("name"), extractor, t[0].serde().deserializer(),
                               t[1].serde().deserializer(), topics);
        result(null, t[0], t[1]);
    }

    private void addProcessor(JsonNode fn, String[] parents) {
        topology.addProcessor(text("name"),
                              () -> (org.apache.kafka.streams.processor.api.Processor) Processors.free(fn, this), parents);
        if (op.has("stores"))
            topology.connectProcessorAndStateStores(text("name"), words("stores").toArray(new String[0]));
        Handle from = parents.length > 0 ? handles.get(parents[0]) : null;

        if (from != null) {
            Type[] t = Processors.results(fn, this, from.key, from.value);

            handles.put(text("name"), new Handle(null, t[0], t[1]));
        }
    }

    private void addSink(String[] parents) {
        Handle from = parents.length > 0 ? handles.get(parents[0]) : null;

        if (from != null)
            reached(text("topic"), from);
        Type[] t = topic(text("topic"));

        topology.addSink(text("name"), text("topic"), t[0].serde().serializer(), t[1].serde().serializer(), parents);
    }

    private void addOneTopicStore(JsonNode fn, boolean global) {
        Type[] t = topic(text("topic"));
        StoreBuilder store = declared(op.get("store"), false);
        org.apache.kafka.streams.processor.api.ProcessorSupplier supplier = () -> Processors.free(fn, this);

        if (global)
            topology.addGlobalStore(store, text("source"), t[0].serde().deserializer(), t[1].serde().deserializer(),
                                    text("topic"), text("name"), supplier);
        else
            topology.addReadOnlyStateStore(store, text("source"), t[0].serde().deserializer(),
                                           t[1].serde().deserializer(), text("topic"), text("name"), supplier);
    }
}
