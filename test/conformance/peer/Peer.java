import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * `Peer OUT @LIST`: plays each case that a line of the file LIST names on Apache Kafka Streams and writes it to OUT/<file name> with `types`,
 * `branch_keys`, the topics it found and `expect` filled in. A case that the peer cannot play is named on stderr.
 */
public final class Peer {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int SECONDS = 20; /* for one case */

    private Peer() {
    }

    public static void main(String[] args) throws Exception {
        Path out = Path.of(args[0]);
        Path folder = Files.createTempDirectory("weir-peer");
        List<String> files = Files.readAllLines(Path.of(args[1].substring(1)));
        int failed = 0;

        for (int i = 0; i < files.size(); i++) {
            Path file = Path.of(files.get(i));

            /* a folder each: what failed at start keeps its locks */
            failed += inTime(file, out, folder.resolve(Integer.toString(i))) ? 0 : 1;
            clear(folder);
        }
        Files.deleteIfExists(folder);
        System.exit(failed == 0 ? 0 : 1);
    }

    /** Some cases never end upstream: a topic that feeds itself, a punctuation at the end of time. */
    @SuppressWarnings({ "deprecation", "removal" })
    private static boolean inTime(Path file, Path out, Path folder) throws InterruptedException {
        String[] problem = { "takes too long" };
        Thread thread = new Thread(() -> {
            try {
                Files.writeString(out.resolve(file.getFileName()), record(file, folder));
                problem[0] = null;
            } catch (Exception e) {
                problem[0] = e.toString();
            }
        });

        thread.start();
        thread.join(SECONDS * 1000);
        thread.stop(); /* gone with newer JDKs: there it ends the run */
        thread.join();
        if (problem[0] != null)
            System.err.println(file + ": " + problem[0]);
        return problem[0] == null;
    }

    private static String record(Path file, Path folder) throws Exception {
        ObjectNode json = (ObjectNode) MAPPER.readTree(file.toFile());
        Play play = new Play(json, folder);

        play.play();
        json.remove("expect");
        complete(json, play.build);
        json.set("expect", play.expect);
        return pretty(json);
    }

    private static void complete(ObjectNode json, Build build) {
        ObjectNode topics = MAPPER.createObjectNode(), types = MAPPER.createObjectNode();
        ObjectNode branches = MAPPER.createObjectNode();

        build.topicTypes.forEach((name, t) -> topics.putObject(name).put("key", t[0].text).put("value", t[1].text));
        build.types.forEach((name, t) -> types.putArray(name).add(t[0].text).add(t[1].text));
        build.branchKeys.forEach((name, keys) -> {
            var list = branches.putArray(name);

            keys.forEach(list::add);
        });
        json.set("topics", topics);
        json.set("types", types);
        if (!branches.isEmpty())
            json.set("branch_keys", branches);
    }

    private static void clear(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            all.sorted(Comparator.reverseOrder()).filter(p -> !p.equals(folder)).map(Path::toFile).forEach(File::delete);
        }
    }

    /* ---- text: one operator, step, record or row a line ---- */

    private static String pretty(JsonNode json) {
        StringBuilder text = new StringBuilder();

        lines(text, json, "", 0);
        return text.append('\n').toString();
    }

    private static boolean flat(JsonNode json) {
        for (JsonNode child : json)
            if (child.isObject() || (child.isArray() && !child.isEmpty() && child.get(0).isContainerNode()))
                return false;
        return true;
    }

    private static void lines(StringBuilder text, JsonNode json, String indent, int depth) {
        if (!json.isContainerNode() || json.isEmpty() || depth > 4 || (depth > 0 && flat(json))) {
            text.append(json);
            return;
        }
        text.append(json.isObject() ? "{" : "[").append('\n');
        if (json.isObject()) {
            for (Iterator<Map.Entry<String, JsonNode>> it = json.fields(); it.hasNext();) {
                Map.Entry<String, JsonNode> member = it.next();

                text.append(indent).append(" \"").append(member.getKey()).append("\": ");
                child(text, member.getValue(), indent, depth, it.hasNext());
            }
        } else {
            for (Iterator<JsonNode> it = json.elements(); it.hasNext();) {
                text.append(indent).append(' ');
                child(text, it.next(), indent, depth, it.hasNext());
            }
        }
        text.append(indent).append(json.isObject() ? '}' : ']');
    }

    private static void child(StringBuilder text, JsonNode json, String indent, int depth, boolean more) {
        boolean line = json.isObject() && (json.has("op") || json.has("topic"));

        if (line || (json.isArray() && depth > 1 && !indent.isEmpty() && json.size() > 0 && json.get(0).has("topic")))
            text.append(json);
        else
            lines(text, json, indent + " ", depth + 1);
        text.append(more ? ",\n" : "\n");
    }
}
