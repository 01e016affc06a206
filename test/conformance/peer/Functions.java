import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.FailOnInvalidTimestamp;
import org.apache.kafka.streams.processor.LogAndSkipOnInvalidTimestamp;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.processor.UsePartitionTimeOnInvalidTimestamp;

/** The functions of section 6 of the case format. */
final class Functions {
    interface Mapper {
        Object apply(Object key, Object value);
    }

    interface Test {
        boolean holds(Object key, Object value);
    }

    interface Flat {
        List<KeyValue<Object, Object>> apply(Object key, Object value);
    }

    /** Joiners (left, right), reducers (old, new), aggregators (aggregate, value) and mergers. */
    interface Fold {
        Object apply(Object key, Object a, Object b);
    }

    private Functions() {
    }

    private static Object constant(JsonNode json) {
        if (json.isIntegralNumber())
            return json.longValue();
        if (json.isNumber())
            return json.doubleValue();
        return json.textValue();
    }

    private static Mapper onValue(java.util.function.Function<Object, Object> fn) {
        return (k, v) -> v == null ? null : fn.apply(v);
    }

    private static String head(String text) {
        return text == null || text.isEmpty() ? text : text.substring(0, 1);
    }

    private static String part(String text, String mark, boolean before, String otherwise) {
        int at = text.indexOf(mark);

        if (at < 0)
            return otherwise;
        return before ? text.substring(0, at) : text.substring(at + mark.length());
    }

    static Mapper mapper(JsonNode fn) {
        JsonNode arg = fn.get(1);

        switch (fn.get(0).textValue()) {
        case "const": return (k, v) -> constant(arg);
        case "key": return (k, v) -> k;
        case "value":
        case "identity": return (k, v) -> v;
        case "key_colon_value": return (k, v) -> Type.show(k) + ":" + Type.show(v);
        case "to_text": return (k, v) -> Type.show(v);
        case "key_text": return (k, v) -> Type.show(k);
        case "key_upper": return (k, v) -> k == null ? null : ((String) k).toUpperCase(Locale.ROOT);
        case "key_first_char": return (k, v) -> head((String) k);
        case "unwindow": return (k, v) -> k == null ? null : ((Windowed<?>) k).key();
        case "null_key": return (k, v) -> null;
        case "upper": return onValue(v -> ((String) v).toUpperCase(Locale.ROOT));
        case "append": return onValue(v -> Type.show(v) + arg.textValue());
        case "prepend": return onValue(v -> arg.textValue() + Type.show(v));
        case "before": return onValue(v -> part((String) v, arg.textValue(), true, (String) v));
        case "after": return onValue(v -> part((String) v, arg.textValue(), false, (String) v));
        case "after_or_null": return onValue(v -> part((String) v, arg.textValue(), false, null));
        case "first_char": return onValue(v -> head((String) v));
        case "null_if": return onValue(v -> v.equals(constant(arg)) ? null : v);
        case "to_long": return onValue(v -> v instanceof Long ? v : (Object) Long.parseLong((String) v));
        case "length": return onValue(v -> (long) ((String) v).length());
        case "to_string": return onValue(Type::show);
        case "add": return onValue(v -> (Long) v + arg.longValue());
        case "negate": return onValue(v -> -(Long) v);
        case "mul": return onValue(v -> (Long) v * arg.longValue());
        case "mod": return onValue(v -> Math.floorMod((Long) v, arg.longValue()));
        case "to_double": return onValue(v -> v instanceof Long ? ((Long) v).doubleValue()
                    : v instanceof Double ? v : (Object) Double.parseDouble((String) v));
        default: throw new CaseException("no such mapper: " + fn);
        }
    }

    /** The type of a mapper's results. */
    static Type resultType(JsonNode fn, Type key, Type value) {
        switch (fn.get(0).textValue()) {
        case "const": return Type.of(fn.get(1).isIntegralNumber() ? "long" : fn.get(1).isNumber() ? "double" : "string");
        case "key":
        case "null_key":
        case "key_upper":
        case "key_first_char": return key;
        case "unwindow": return key.inner;
        case "value":
        case "identity":
        case "null_if": return value;
        case "to_long":
        case "length":
        case "add":
        case "negate":
        case "mul":
        case "mod": return Type.of("long");
        case "to_double": return Type.of("double");
        default: return Type.of("string");
        }
    }

    static Test predicate(JsonNode fn) {
        JsonNode arg = fn.get(1);

        switch (fn.get(0).textValue()) {
        case "true": return (k, v) -> true;
        case "false": return (k, v) -> false;
        case "value_not_null": return (k, v) -> v != null;
        case "value_null": return (k, v) -> v == null;
        case "key_not_null": return (k, v) -> k != null;
        case "key_eq": return (k, v) -> k != null && Type.show(k).equals(arg.asText());
        case "value_eq": return (k, v) -> v != null && Type.show(v).equals(arg.asText());
        case "value_gt": return (k, v) -> v != null && (Long) v > arg.longValue();
        case "value_lt": return (k, v) -> v != null && (Long) v < arg.longValue();
        case "value_even": return (k, v) -> v != null && (Long) v % 2 == 0;
        case "value_contains": return (k, v) -> v != null && ((String) v).contains(arg.textValue());
        case "value_longer": return (k, v) -> v != null && ((String) v).length() > arg.longValue();
        default: throw new CaseException("no such predicate: " + fn);
        }
    }

    private static List<String> parts(Object value, String mark) {
        List<String> parts = new ArrayList<>();

        if (value != null)
            for (String part : ((String) value).split(java.util.regex.Pattern.quote(mark)))
                if (!part.isEmpty())
                    parts.add(part);
        return parts;
    }

    static Flat flat(JsonNode fn) {
        String name = fn.get(0).textValue();
        JsonNode arg = fn.get(1);

        return (k, v) -> {
            List<KeyValue<Object, Object>> all = new ArrayList<>();

            switch (name) {
            case "repeat":
                for (long i = 0; i < arg.longValue(); i++)
                    all.add(KeyValue.pair(k, v));
                return all;
            case "split":
                parts(v, arg.textValue()).forEach(part -> all.add(KeyValue.pair(k, part)));
                return all;
            case "words":
                parts(v, arg.textValue()).forEach(part -> all.add(KeyValue.pair(part, v)));
                return all;
            case "chars":
                for (int i = 0; v != null && i < ((String) v).length(); i++)
                    all.add(KeyValue.pair(k, ((String) v).substring(i, i + 1)));
                return all;
            default: throw new CaseException("no such flat function: " + fn);
            }
        };
    }

    private static long number(Object value) {
        return value == null ? 0 : (Long) value;
    }

    static Fold fold(JsonNode fn) {
        JsonNode arg = fn.get(1);

        switch (fn.get(0).textValue()) {
        case "concat": return (k, a, b) -> Type.show(a) + arg.textValue() + Type.show(b);
        case "key_concat": return (k, a, b) -> Type.show(k) + ":" + Type.show(a) + arg.textValue() + Type.show(b);
        case "sum": return (k, a, b) -> number(a) + number(b);
        case "left":
        case "first": return (k, a, b) -> a;
        case "right":
        case "last": return (k, a, b) -> b;
        case "sub": return (k, a, b) -> number(a) - number(b);
        case "min": return (k, a, b) -> a == null ? b : b == null ? a : (Object) Math.min((Long) a, (Long) b);
        case "max": return (k, a, b) -> a == null ? b : b == null ? a : (Object) Math.max((Long) a, (Long) b);
        case "null_on":
            return (k, a, b) -> arg.textValue().equals(b) ? null : Type.show(a) + "+" + Type.show(b);
        case "sum_null_at":
            return (k, a, b) -> number(a) + number(b) == arg.longValue() ? null : (Object) (number(a) + number(b));
        case "count": return (k, a, b) -> number(a) + 1;
        case "uncount": return (k, a, b) -> number(a) - 1;
        default: throw new CaseException("no such fold: " + fn);
        }
    }

    static Type joinedType(JsonNode fn, Type left, Type right) {
        switch (fn.get(0).textValue()) {
        case "sum": return Type.of("long");
        case "left": return left;
        case "right": return right;
        default: return Type.of("string");
        }
    }

    static long timeOf(ConsumerRecord<Object, Object> record) {
        Object value = record.value();

        if (value instanceof Long)
            return (Long) value;
        try {
            String text = (String) value;

            return Long.parseLong(text.substring(text.indexOf('@') + 1));
        } catch (RuntimeException e) {
            return -1;
        }
    }

    private static ConsumerRecord<Object, Object> at(ConsumerRecord<Object, Object> record, long time) {
        return new ConsumerRecord<>(record.topic(), record.partition(), record.offset(), time, record.timestampType(),
                record.serializedKeySize(), record.serializedValueSize(), record.key(), record.value(), record.headers(),
                record.leaderEpoch());
    }

    public static final class FromValue implements TimestampExtractor {
        @Override
        public long extract(ConsumerRecord<Object, Object> record, long partitionTime) {
            return timeOf(record);
        }
    }

    public static final class FromValueSkip implements TimestampExtractor {
        @Override
        public long extract(ConsumerRecord<Object, Object> record, long partitionTime) {
            return new LogAndSkipOnInvalidTimestamp().extract(at(record, timeOf(record)), partitionTime);
        }
    }

    public static final class FromValuePartitionTime implements TimestampExtractor {
        @Override
        public long extract(ConsumerRecord<Object, Object> record, long partitionTime) {
            return new UsePartitionTimeOnInvalidTimestamp().extract(at(record, timeOf(record)), partitionTime);
        }
    }

    static TimestampExtractor extractor(JsonNode fn) {
        switch (fn.get(0).textValue()) {
        case "record": return new FailOnInvalidTimestamp();
        case "log_and_skip": return new LogAndSkipOnInvalidTimestamp();
        case "use_partition_time": return new UsePartitionTimeOnInvalidTimestamp();
        case "from_value": return new FromValue();
        case "from_value_skip": return new FromValueSkip();
        case "from_value_partition_time": return new FromValuePartitionTime();
        default: throw new CaseException("no such extractor: " + fn);
        }
    }
}
