import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HexFormat;
import java.util.Map;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.WindowedSerdes;

/** A type of the case format: its serde, its values as JSON, their text. */
final class Type {
    static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final Map<String, Serde<?>> PLAIN = Map.of("string", Serdes.String(), "long", Serdes.Long(),
            "double", Serdes.Double(), "bytes", Serdes.ByteArray());

    final String text;
    final Type inner;

    private Type(String text, Type inner) {
        this.text = text;
        this.inner = inner;
    }

    static Type of(String text) {
        int open = text.indexOf('(');

        if (open < 0) {
            if (!PLAIN.containsKey(text))
                throw new CaseException("no such type: " + text);
            return new Type(text, null);
        }
        int end = session(text) ? text.length() - 1 : text.lastIndexOf(',');
        return new Type(text, of(text.substring(open + 1, end)));
    }

    static Type windowed(Type key, long size) {
        return of("time_windowed(" + key.text + "," + size + ")");
    }

    static Type sessioned(Type key) {
        return of("session_windowed(" + key.text + ")");
    }

    private static boolean session(String text) {
        return text.startsWith("session_windowed(");
    }

    @SuppressWarnings({ "unchecked", "rawtypes" })
    Serde<Object> serde() {
        if (inner == null)
            return (Serde<Object>) PLAIN.get(text);
        if (session(text))
            return (Serde) new WindowedSerdes.SessionWindowedSerde<>(inner.serde());
        long size = Long.parseLong(text.substring(text.lastIndexOf(',') + 1, text.length() - 1));
        return (Serde) new WindowedSerdes.TimeWindowedSerde<>(inner.serde(), size);
    }

    Object fromJson(JsonNode json) {
        if (json == null || json.isNull())
            return null;
        switch (text) {
        case "string": return json.textValue();
        case "long": return json.longValue();
        case "double": return json.doubleValue();
        case "bytes": return HexFormat.of().parseHex(json.textValue());
        default: throw new CaseException("a windowed value cannot be given");
        }
    }

    /** A word of a command as a value of this type; "-" is null. */
    Object fromWord(String word) {
        if (word.equals("-"))
            return null;
        switch (text) {
        case "long": return Long.parseLong(word);
        case "double": return Double.parseDouble(word);
        case "bytes": return HexFormat.of().parseHex(word);
        default: return word;
        }
    }

    static JsonNode toJson(Object value) {
        if (value == null)
            return JSON.nullNode();
        if (value instanceof Long)
            return JSON.numberNode((Long) value);
        if (value instanceof Double)
            return JSON.numberNode((Double) value);
        if (value instanceof byte[])
            return JSON.textNode(hex((byte[]) value));
        if (value instanceof Windowed) {
            Windowed<?> windowed = (Windowed<?>) value;
            ObjectNode node = JSON.objectNode();

            node.set("key", toJson(windowed.key()));
            return node.put("start", windowed.window().start()).put("end", windowed.window().end());
        }
        return JSON.textNode((String) value);
    }

    /** The format's text(x). */
    static String show(Object value) {
        if (value instanceof byte[])
            return hex((byte[]) value);
        if (value instanceof Windowed) {
            Windowed<?> windowed = (Windowed<?>) value;

            return show(windowed.key()) + "@" + windowed.window().start() + "-" + windowed.window().end();
        }
        return String.valueOf(value);
    }

    static String hex(byte[] bytes) {
        return bytes == null ? null : HexFormat.of().formatHex(bytes);
    }
}
