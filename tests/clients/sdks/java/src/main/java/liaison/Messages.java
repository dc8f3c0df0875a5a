package liaison;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cloudevents.CloudEvent;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.core.message.Encoding;
import io.cloudevents.http.HttpMessageFactory;
import io.cloudevents.jackson.JsonCloudEventData;
import io.cloudevents.jackson.JsonFormat;
import io.cloudevents.kafka.CloudEventSerializer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.Iterator;
import java.util.Map;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Events as JSON on standard input; on standard output a line for each message that the SDK makes of them. */
public final class Messages {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        int number = 0;
        for (JsonNode sent : JSON.readTree(System.in)) {
            for (String form : new String[] {"object", "bytes"}) {
                CloudEvent made = made(sent, form);
                http(number, form, made);
                kafka(number, form, made, "binary", Map.of());
                kafka(
                        number,
                        form,
                        made,
                        "structured",
                        Map.of(
                                CloudEventSerializer.ENCODING_CONFIG, Encoding.STRUCTURED,
                                CloudEventSerializer.EVENT_FORMAT_CONFIG, JsonFormat.CONTENT_TYPE));
            }
            number++;
        }
    }

    private static CloudEvent made(JsonNode sent, String form) throws Exception {
        CloudEventBuilder builder = CloudEventBuilder.v1();
        for (Iterator<Map.Entry<String, JsonNode>> all = sent.fields(); all.hasNext(); ) {
            Map.Entry<String, JsonNode> each = all.next();
            String value = each.getValue().asText();
            switch (each.getKey()) {
                case "id" -> builder.withId(value);
                case "source" -> builder.withSource(URI.create(value));
                case "type" -> builder.withType(value);
                case "subject" -> builder.withSubject(value);
                case "time" -> builder.withTime(OffsetDateTime.parse(value));
                case "data" -> {
                    if (form.equals("object")) {
                        builder.withData("application/json", JsonCloudEventData.wrap(each.getValue()));
                    } else {
                        builder.withData("application/json", JSON.writeValueAsBytes(each.getValue()));
                    }
                }
                default -> builder.withExtension(each.getKey(), value);
            }
        }
        return builder.build();
    }

    private static void http(int number, String form, CloudEvent made) throws Exception {
        for (String mode : new String[] {"binary", "structured"}) {
            ObjectNode message = message(number, "http", mode, form);
            var writer =
                    HttpMessageFactory.createWriter(
                            (name, value) ->
                                    header(message, name, value.getBytes(StandardCharsets.UTF_8)),
                            body -> message.put("body", Base64.getEncoder().encodeToString(body)));
            if (mode.equals("binary")) {
                writer.writeBinary(made);
            } else {
                writer.writeStructured(made, JsonFormat.CONTENT_TYPE);
            }
            System.out.println(JSON.writeValueAsString(message));
        }
    }

    private static void kafka(
            int number, String form, CloudEvent made, String mode, Map<String, ?> configuration)
            throws Exception {
        try (CloudEventSerializer serializer = new CloudEventSerializer()) {
            serializer.configure(configuration, false);
            Headers headers = new RecordHeaders();
            byte[] value = serializer.serialize("liaison.submissions", headers, made);
            ObjectNode message = message(number, "kafka", mode, form);
            headers.forEach(each -> header(message, each.key(), each.value()));
            message.put("body", Base64.getEncoder().encodeToString(value));
            System.out.println(JSON.writeValueAsString(message));
        }
    }

    private static ObjectNode message(int number, String protocol, String mode, String form) {
        ObjectNode message = JSON.createObjectNode();
        message.put("event", number).put("protocol", protocol).put("mode", mode).put("form", form);
        message.putArray("headers");
        return message;
    }

    private static void header(ObjectNode message, String name, byte[] value) {
        ArrayNode pair = ((ArrayNode) message.get("headers")).addArray();
        pair.add(name).add(Base64.getEncoder().encodeToString(value));
    }
}
