import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;

/**
 * The topology of bench/kafka_bars.c by Apache Kafka Streams: JSON ticks into one-minute bars with a changelog, one thread, a commit every
 * 100 ms. It ends when COUNT ticks have been read and what came of them is committed.
 *
 * <p>KafkaStreamsBars SERVERS NAME GUARANTEE COUNT FOLDER [KEY=VALUE...]: properties of Kafka Streams and its clients
 */
public final class KafkaStreamsBars {
    private static final JsonFactory JSON = new JsonFactory();

    private record Tick(long price, long volume, long time) {}

    private static final class Bar {
        long open, high, low, close, volume, count, first, last;
    }

    private KafkaStreamsBars() {}

    private static long decimal(String text) {
        int point = text.indexOf('.');
        int places = point < 0 ? 0 : text.length() - point - 1;
        long value = Long.parseLong(point < 0 ? text : text.substring(0, point) + text.substring(point + 1));
        for (int i = places; i < 8; i++) {
            value *= 10;
        }
        return value;
    }

    private static Tick read(byte[] bytes) {
        long price = 0;
        long volume = 0;
        long time = 0;
        try (JsonParser parser = JSON.createParser(bytes)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                switch (name) {
                    case "price" -> price = decimal(parser.getText());
                    case "volume" -> volume = parser.getLongValue();
                    case "event_time" -> time = parser.getLongValue();
                    default -> parser.skipChildren();
                }
            }
        } catch (IOException bad) {
            throw new SerializationException(bad);
        }
        return new Tick(price, volume, time);
    }

    private static Bar fold(Tick tick, Bar bar) {
        if (bar.count == 0) {
            bar.open = bar.high = bar.low = bar.close = tick.price;
            bar.first = bar.last = tick.time;
        }
        if (tick.time < bar.first) {
            bar.first = tick.time;
            bar.open = tick.price;
        }
        if (tick.time >= bar.last) {
            bar.last = tick.time;
            bar.close = tick.price;
        }
        bar.high = Math.max(bar.high, tick.price);
        bar.low = Math.min(bar.low, tick.price);
        bar.volume += tick.volume;
        bar.count++;
        return bar;
    }

    private static byte[] write(Bar bar) {
        ByteBuffer out = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(bar.open).putLong(bar.high).putLong(bar.low).putLong(bar.close);
        return out.putLong(bar.volume).putLong(bar.count).putLong(bar.first).putLong(bar.last).array();
    }

    private static Bar readBar(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        Bar bar = new Bar();
        bar.open = in.getLong();
        bar.high = in.getLong();
        bar.low = in.getLong();
        bar.close = in.getLong();
        bar.volume = in.getLong();
        bar.count = in.getLong();
        bar.first = in.getLong();
        bar.last = in.getLong();
        return bar;
    }

    private static Serde<Tick> ticks() {
        Deserializer<Tick> reader = (topic, bytes) -> bytes == null ? null : read(bytes);
        return Serdes.serdeFrom((topic, tick) -> { throw new SerializationException("ticks are read alone"); }, reader);
    }

    private static Serde<Bar> bars() {
        return Serdes.serdeFrom((topic, bar) -> bar == null ? null : write(bar), (topic, bytes) -> bytes == null ? null : readBar(bytes));
    }

    private static StreamsBuilder topology(AtomicLong seen) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream("ticks", Consumed.with(Serdes.String(), ticks()))
                .peek((key, tick) -> seen.incrementAndGet())
                .groupByKey(Grouped.with(Serdes.String(), ticks()))
                .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMinutes(1), Duration.ofSeconds(5)))
                .aggregate(Bar::new, (key, tick, bar) -> fold(tick, bar), Materialized.with(Serdes.String(), bars()))
                .toStream()
                .to("streams.bars", Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, 60000), bars()));
        return builder;
    }

    /** One that is there is as good. Bars of long ago stay. */
    private static void makeTopic(Properties properties) throws InterruptedException {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", properties.get("bootstrap.servers")))) {
            NewTopic topic = new NewTopic("streams.bars", 4, (short) 1).configs(Map.of("retention.ms", "-1"));
            admin.createTopics(List.of(topic)).all().get();
        } catch (ExecutionException refused) {
            if (!(refused.getCause() instanceof TopicExistsException)) {
                throw new IllegalStateException(refused.getCause());
            }
        }
    }

    public static void main(String[] words) throws InterruptedException {
        Properties properties = new Properties();
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, words[0]);
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, words[1]);
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, words[2]);
        properties.put(StreamsConfig.STATE_DIR_CONFIG, words[4]);
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        properties.put("auto.offset.reset", "earliest");
        for (int i = 5; i < words.length; i++) {
            String[] pair = words[i].split("=", 2);
            properties.put(pair[0], pair[1]);
        }
        long count = Long.parseLong(words[3]);
        AtomicLong seen = new AtomicLong();
        makeTopic(properties);
        KafkaStreams streams = new KafkaStreams(topology(seen).build(), properties);
        streams.setUncaughtExceptionHandler(wrong -> {
            wrong.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.start();
        while (seen.get() < count) {
            Thread.sleep(20);
        }
        streams.close(); // commits
        System.out.println(seen.get() + " ticks");
    }
}
