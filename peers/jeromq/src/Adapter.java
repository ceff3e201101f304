import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.io.PrintStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.TimeoutException;
import org.zeromq.ZMQ;
import org.zeromq.ZMQException;
import zmq.ZError;

/** Control protocol adapter for JeroMQ, whatever its version. It reports; it judges nothing. */
final class Adapter {
    private static final HexFormat HEX = HexFormat.of();
    private static final int INDEX_OCTETS = 8;

    private final String name;
    private final Sockets sockets;

    private Adapter(String name, Sockets sockets) {
        this.name = name;
        this.sockets = sockets;
    }

    /** Answers requests until the end of input; the only argument is the peer's name. */
    public static void main(String[] arguments) {
        PrintStream answers = System.out;
        System.setOut(System.err); // whatever the library prints is no answer
        int status = 0;
        try (Sockets sockets = new Sockets(new Input(System.in))) {
            Adapter adapter = new Adapter(arguments[0], sockets);
            for (String line; (line = sockets.nextLine()) != null; ) {
                answers.write((adapter.answer(line) + "\n").getBytes(StandardCharsets.UTF_8));
                answers.flush();
            }
        } catch (Exception error) {
            error.printStackTrace();
            status = 1;
        } catch (StackOverflowError error) { // between two requests
            status = 2;
        }
        System.exit(status);
    }

    private JsonObject answer(String line) {
        JsonObject request = JsonParser.parseString(line).getAsJsonObject(), answer = new JsonObject();
        answer.add("id", request.get("id"));
        try {
            answer.add("ok", run(request.get("op").getAsString(), request));
        } catch (Unsupported error) {
            answer.add("error", failure("unsupported", error.getMessage()));
        } catch (TimeoutException error) {
            answer.add("error", failure("timeout", error.getMessage()));
        } catch (Exception error) {
            answer.add("error", failure("failed", error.toString()));
        } catch (StackOverflowError error) {
            sockets.giveUp(error);
            answer.add("error", failure("failed", error.toString()));
        }
        return answer;
    }

    private static JsonObject failure(String kind, String detail) {
        return object("kind", kind, "detail", detail);
    }

    private JsonObject run(String op, JsonObject request) throws Exception {
        return switch (op) {
            case "hello" -> object("peer", name, "library", "JeroMQ", "version", version(), "language", "Java",
                    "control", "1");
            case "open" -> object("socket", sockets.open(request.get("type").getAsString(),
                    request.getAsJsonObject("options").asMap()));
            case "close" -> done(() -> sockets.close(number(request)));
            case "set" -> done(() -> Options.set(socket(request), text(request, "option"), request.get("value")));
            case "get" -> object("value", Options.get(socket(request), text(request, "option")));
            case "bind" -> object("endpoint", sockets.bind(number(request), text(request, "endpoint")));
            case "connect" -> connect(request);
            case "unbind" -> done(() -> Options.call(socket(request), "unbind", text(request, "endpoint")));
            case "disconnect" -> done(() -> Options.call(socket(request), "disconnect", text(request, "endpoint")));
            case "subscribe" -> done(() -> subscribe(request, true));
            case "cancel" -> done(() -> subscribe(request, false));
            case "send" -> object("outcome", send(request));
            case "recv" -> object("parts", hex(receive(number(request), end(request))));
            case "poll" -> object("readable", poll(request));
            case "flood" -> object("accepted", flood(request));
            case "drain" -> drain(request);
            case "proxy" -> done(() -> sockets.proxy(request.get("frontend").getAsInt(),
                    request.get("backend").getAsInt()));
            case "monitor" -> object("events", sockets.events(number(request)));
            default -> throw new Unsupported(op);
        };
    }

    /** JeroMQ's own answer is the version of libzmq that it is like; its file knows better. */
    private static String version() throws IOException {
        Properties properties = new Properties();
        properties.load(ZMQ.class.getResourceAsStream("/META-INF/maven/org.zeromq/jeromq/pom.properties"));
        return properties.getProperty("version");
    }

    private JsonObject connect(JsonObject request) {
        byte[] routingId = sockets.connect(number(request), text(request, "endpoint"));
        JsonObject answer = object("endpoint", text(request, "endpoint"));
        if (routingId != null) {
            answer.add("routing_id", json(routingId));
        }
        return answer;
    }

    private void subscribe(JsonObject request, boolean starts) throws Exception {
        ZMQ.Socket socket = socket(request);
        byte[] prefix = octets(request.get("prefix"));
        if (Drafts.is(socket, "DISH")) {
            Options.call(socket, starts ? "join" : "leave", Drafts.group(prefix));
        } else if (socket.getType() == Sockets.type("XSUB")) {
            byte[] message = new byte[prefix.length + 1];
            message[0] = (byte) (starts ? 1 : 0);
            System.arraycopy(prefix, 0, message, 1, prefix.length);
            socket.send(message, ZMQ.DONTWAIT);
        } else if (starts) {
            socket.subscribe(prefix);
        } else {
            socket.unsubscribe(prefix);
        }
    }

    private String send(JsonObject request) {
        return send(number(request), octets(request.getAsJsonArray("parts")), end(request));
    }

    private String send(int number, List<byte[]> parts, long end) {
        ZMQ.Socket socket = sockets.get(number);
        try {
            return sockets.patiently(() -> sendNow(socket, parts) ? "accepted" : null, end);
        } catch (TimeoutException error) {
            return "would-block";
        } catch (UnsupportedOperationException | IllegalStateException error) {
            return "refused"; // as older versions say ENOTSUP and EFSM
        } catch (ZMQException error) {
            return switch (error.getErrorCode()) {
                case ZError.EHOSTUNREACH -> "unroutable";
                case ZError.EFSM, ZError.ENOTSUP -> "refused";
                default -> throw error;
            };
        }
    }

    /** JeroMQ takes a whole message or, at its first part, none of it. */
    private static boolean sendNow(ZMQ.Socket socket, List<byte[]> parts) {
        if (Drafts.hasHead(socket)) {
            return Drafts.send(socket, parts);
        }
        for (int i = 0; i < parts.size(); i++) {
            int more = i < parts.size() - 1 ? ZMQ.SNDMORE : 0;
            if (!socket.send(parts.get(i), ZMQ.DONTWAIT | more)) {
                if (i > 0) {
                    throw new AssertionError("only " + i + " parts of a message were taken");
                }
                return false;
            }
        }
        return true;
    }

    private List<byte[]> receive(int number, long end) throws TimeoutException {
        ZMQ.Socket socket = sockets.get(number);
        return sockets.patiently(() -> receiveNow(socket), end);
    }

    private static List<byte[]> receiveNow(ZMQ.Socket socket) {
        if (Drafts.hasHead(socket)) {
            return Drafts.receive(socket);
        }
        byte[] part = socket.recv(ZMQ.DONTWAIT);
        if (part == null) {
            return null;
        }
        List<byte[]> parts = new ArrayList<>(List.of(part));
        while (socket.hasReceiveMore()) {
            parts.add(socket.recv(ZMQ.DONTWAIT));
        }
        return parts;
    }

    private JsonArray poll(JsonObject request) {
        List<Integer> numbers = request.getAsJsonArray("sockets").asList().stream()
                .map(JsonElement::getAsInt).toList();
        JsonArray readable = new JsonArray();
        try {
            sockets.patiently(() -> {
                numbers.stream().filter(sockets::readable).forEach(readable::add);
                return readable.isEmpty() ? null : readable;
            }, end(request));
        } catch (TimeoutException nothing) {
            // as the empty list says
        }
        return readable;
    }

    private int flood(JsonObject request) {
        int count = request.get("count").getAsInt(), seed = request.get("seed").getAsInt();
        List<byte[]> parts = request.has("head") ? octets(request.getAsJsonArray("head")) : new ArrayList<>();
        parts.add(null);
        long end = end(request);
        for (int index = 0; index < count; index++) {
            byte[] body = new byte[request.get("size_octets").getAsInt()];
            ByteBuffer.wrap(body).putLong(index);
            for (int at = INDEX_OCTETS; at < body.length; at++) {
                body[at] = (byte) (seed + index + at);
            }
            parts.set(parts.size() - 1, body);
            if (!send(number(request), parts, end).equals("accepted")) {
                return index;
            }
        }
        return count;
    }

    private JsonObject drain(JsonObject request) throws GeneralSecurityException {
        int count = request.get("count").getAsInt(), received = 0;
        long end = end(request);
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        JsonElement first = JsonNull.INSTANCE, last = JsonNull.INSTANCE;
        try {
            for (; received < count; received++) {
                List<byte[]> parts = receive(number(request), end);
                byte[] body = parts.get(parts.size() - 1);
                digest.update(ByteBuffer.allocate(Long.BYTES).putLong(0, body.length));
                digest.update(body);
                last = index(body);
                first = received == 0 ? last : first;
            }
        } catch (TimeoutException few) {
            // as the count says
        }
        JsonObject answer = object("received", received, "digest", HEX.formatHex(digest.digest()));
        answer.add("first", first);
        answer.add("last", last);
        return answer;
    }

    private static JsonElement index(byte[] body) {
        return body.length < INDEX_OCTETS
                ? JsonNull.INSTANCE
                : new JsonPrimitive(new BigInteger(1, Arrays.copyOf(body, INDEX_OCTETS)));
    }

    /** A step that answers nothing. */
    private interface Action {
        void run() throws Exception;
    }

    private static JsonObject done(Action action) throws Exception {
        action.run();
        return new JsonObject();
    }

    private ZMQ.Socket socket(JsonObject request) {
        return sockets.get(number(request));
    }

    private static int number(JsonObject request) {
        return request.get("socket").getAsInt();
    }

    private static String text(JsonObject request, String field) {
        return request.get(field).getAsString();
    }

    private static long end(JsonObject request) {
        return System.nanoTime() + request.get("timeout_ms").getAsLong() * 1_000_000;
    }

    static byte[] octets(JsonElement hex) {
        return HEX.parseHex(hex.getAsString());
    }

    private static List<byte[]> octets(JsonArray parts) {
        List<byte[]> octets = new ArrayList<>();
        parts.forEach(part -> octets.add(octets(part)));
        return octets;
    }

    private static JsonArray hex(List<byte[]> parts) {
        JsonArray texts = new JsonArray();
        parts.forEach(part -> texts.add(HEX.formatHex(part)));
        return texts;
    }

    /** An object of names and values by turns. */
    static JsonObject object(Object... fields) {
        JsonObject object = new JsonObject();
        for (int i = 0; i < fields.length; i += 2) {
            object.add((String) fields[i], json(fields[i + 1]));
        }
        return object;
    }

    private static JsonElement json(Object value) {
        if (value instanceof JsonElement element) {
            return element;
        } else if (value instanceof Number number) {
            return new JsonPrimitive(number);
        } else if (value instanceof Boolean flag) {
            return new JsonPrimitive(flag);
        } else if (value instanceof byte[] octets) {
            return new JsonPrimitive(HEX.formatHex(octets));
        }
        return new JsonPrimitive((String) value);
    }
}
