import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.zeromq.ZMQ;

/** The open sockets. As libzmq, JeroMQ does part of its work inside its calls only: all are served while one waits. */
final class Sockets implements AutoCloseable {
    /** In the order of the library's numbers. */
    private static final List<String> TYPES =
            List.of("PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB");
    private static final List<String> EVENTS = List.of("connected", "connect-delayed", "connect-retried",
            "listening", "bind-failed", "accepted", "accept-failed", "closed", "close-failed", "disconnected",
            "monitor-stopped", "handshake-failed-no-detail", "handshake-succeeded", "handshake-failed-protocol",
            "handshake-failed-auth", "handshake-protocol");

    /** A socket; one that a proxy's thread has is not served here. */
    private static final class Entry {
        final ZMQ.Socket socket;
        final SelectionKey news;
        boolean dials;
        ZMQ.Socket watch;
        Forwarder proxy;

        Entry(ZMQ.Socket socket, SelectionKey news) {
            this.socket = socket;
            this.news = news;
        }
    }

    private record Forwarder(Thread thread, ZMQ.Socket control) {}

    /** How often the I/O thread is nudged while a socket dials. */
    private static final long NUDGE_MS = 20;

    private final ZMQ.Context context = ZMQ.context(1);
    private final ZMQ.Socket nudge;
    private final Selector selector = Selector.open();
    private final Map<Integer, Entry> entries = new LinkedHashMap<>();
    private final Input input;
    private int opened;
    private long nudged;
    private volatile boolean broken;

    Sockets(Input input) throws IOException {
        this.input = input;
        Thread.setDefaultUncaughtExceptionHandler((thread, error) -> giveUp(error));
        Options.tellFailures(context, (thread, error) -> giveUp(error)); // before there is a socket
        nudge = context.socket(type("PULL"));
        input.start(selector::wakeup);
    }

    static int type(String name) {
        int number = TYPES.indexOf(name);
        return number < 0 ? Drafts.type(name) : number;
    }

    /** The next line of input, null at its end; the sockets are served until it is there. */
    String nextLine() throws IOException {
        while (true) {
            try {
                serve();
            } catch (StackOverflowError error) {
                giveUp(error);
                throw error;
            }
            String line = input.poll();
            if (line != null || input.ended()) {
                return line;
            }
            await(Long.MAX_VALUE);
        }
    }

    /**
     * Waits until there is news of a socket or of the input. Thread-safe sockets give no news: they are looked at
     * every millisecond while an operation waits, and now and then between two.
     */
    private void await(long leftMs) throws IOException {
        if (entries.values().stream().anyMatch(entry -> entry.news == null)) {
            leftMs = Math.min(leftMs, leftMs == Long.MAX_VALUE ? NUDGE_MS : 1);
        }
        if (entries.values().stream().anyMatch(entry -> entry.dials)) {
            nudge();
            selector.select(Math.min(leftMs, NUDGE_MS));
        } else {
            selector.select(leftMs == Long.MAX_VALUE ? 0 : leftMs);
        }
        selector.selectedKeys().clear();
    }

    /**
     * Of the connections that JeroMQ dials, some in a hundred are forgotten by its I/O thread at the moment they are
     * made: no greeting is sent, until the thread looks over what it has for another reason
     * (https://github.com/zeromq/jeromq/pull/1022). By chance no case can be judged, so a reason is given here: a
     * listener that comes and goes.
     */
    private void nudge() {
        long now = System.nanoTime();
        if (now - nudged >= NUDGE_MS * 1_000_000) {
            nudged = now;
            nudge.unbind("tcp://127.0.0.1:" + nudge.bindToRandomPort("tcp://127.0.0.1"));
        }
    }

    /**
     * The library was stopped in the middle of something by an error of its own. Its I/O thread may be dead or serve
     * nobody, though the process lives on. So from now on no close succeeds: there is no use in such a process for another case.
     */
    void giveUp(Throwable error) {
        error.printStackTrace();
        broken = true;
    }

    /** Lets the library work: to ask for a socket's events makes it read its commands. */
    private void serve() {
        for (Entry entry : entries.values()) {
            if (entry.proxy == null) {
                entry.socket.getEvents();
            }
        }
    }

    /** What `act` says as soon as it is not null. */
    <T> T patiently(Supplier<T> act, long end) throws TimeoutException {
        while (true) {
            T result = act.get();
            if (result != null) {
                return result;
            }
            serve();
            result = act.get();
            if (result != null) {
                return result;
            }
            long leftMs = Math.floorDiv(end - System.nanoTime(), 1_000_000) + 1;
            if (leftMs <= 0) {
                throw new TimeoutException("not within the time");
            }
            try {
                await(leftMs);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }

    int open(String type, Map<String, JsonElement> options) throws Exception {
        if (type(type) < 0) {
            throw new Unsupported(type);
        }
        ZMQ.Socket socket = context.socket(type(type));
        entries.put(++opened, new Entry(socket, news(socket)));
        try {
            socket.setLinger(0);
            for (Map.Entry<String, JsonElement> option : options.entrySet()) {
                Options.set(socket, option.getKey(), option.getValue());
            }
        } catch (Exception error) {
            close(opened);
            throw error;
        }
        return opened;
    }

    private SelectionKey news(ZMQ.Socket socket) throws IOException {
        SelectableChannel channel = socket.getFD();
        return channel == null ? null : channel.register(selector, SelectionKey.OP_READ);
    }

    private Entry entry(int number) {
        Entry entry = entries.get(number);
        if (entry == null) {
            throw new IllegalArgumentException("no open socket " + number);
        }
        return entry;
    }

    ZMQ.Socket get(int number) {
        return entry(number).socket;
    }

    boolean readable(int number) {
        return (get(number).getEvents() & ZMQ.Poller.POLLIN) != 0;
    }

    void close(int number) throws InterruptedException {
        Entry entry = entry(number);
        if (entry.proxy != null) {
            end(entry.proxy);
        }
        entries.remove(number);
        if (entry.news != null) {
            entry.news.cancel();
        }
        if (entry.watch != null) {
            entry.socket.monitor(null, 0); // older versions wait for who has gone
            entry.watch.close();
        }
        entry.socket.close();
        if (broken) {
            throw new IllegalStateException("the library has failed before");
        }
    }

    private void end(Forwarder proxy) throws InterruptedException {
        proxy.control.send("TERMINATE");
        proxy.thread.join();
        proxy.control.close();
        entries.values().stream().filter(entry -> entry.proxy == proxy).forEach(entry -> entry.proxy = null);
    }

    String bind(int number, String endpoint) {
        ZMQ.Socket socket = get(number);
        socket.setIPv4Only(!endpoint.contains("["));
        if (endpoint.endsWith(":*")) {
            String host = endpoint.substring(0, endpoint.length() - ":*".length());
            return host + ":" + socket.bindToRandomPort(host);
        }
        socket.bind(endpoint);
        return endpoint;
    }

    /** What is known of who will be met: its routing id, of a PEER; null of others. */
    byte[] connect(int number, String endpoint) {
        ZMQ.Socket socket = get(number);
        socket.setIPv4Only(!endpoint.contains("["));
        entry(number).dials = true;
        if (Drafts.is(socket, "PEER")) {
            return Drafts.connectPeer(socket, endpoint);
        }
        socket.connect(endpoint);
        return null;
    }

    /** The library's own proxy, in a thread that has the two sockets until one is closed. */
    void proxy(int frontend, int backend) throws Unsupported {
        Method library = Options.proxy();
        ZMQ.Socket inside = context.socket(type("PAIR"));
        ZMQ.Socket control = context.socket(type("PAIR"));
        inside.bind("inproc://proxy-" + frontend);
        control.connect("inproc://proxy-" + frontend);
        ZMQ.Socket one = get(frontend), other = get(backend);
        Thread thread = new Thread(() -> {
            try {
                library.invoke(null, one, other, null, inside);
            } catch (ReflectiveOperationException error) {
                error.printStackTrace();
            }
            inside.close();
        }, "proxy");
        Forwarder proxy = new Forwarder(thread, control);
        for (int number : new int[] {frontend, backend}) {
            entry(number).news.cancel();
            entry(number).proxy = proxy;
        }
        thread.setDaemon(true);
        thread.start();
    }

    JsonArray events(int number) {
        Entry entry = entry(number);
        if (entry.watch == null) {
            String endpoint = "inproc://monitor-" + number;
            entry.socket.monitor(endpoint, ZMQ.EVENT_ALL);
            entry.watch = context.socket(type("PAIR"));
            entry.watch.setLinger(0);
            entry.watch.connect(endpoint);
        }
        JsonArray events = new JsonArray();
        for (ZMQ.Event event; (event = ZMQ.Event.recv(entry.watch, ZMQ.DONTWAIT)) != null; ) {
            String name = EVENTS.get(Integer.numberOfTrailingZeros(event.getEvent()));
            String address = event.getAddress();
            events.add(Adapter.object("event", name, "endpoint", address == null ? "" : address));
        }
        return events;
    }

    @Override
    public void close() throws InterruptedException, IOException {
        if (broken) {
            return; // the library would wait for threads that are no more
        }
        for (int number : new ArrayList<>(entries.keySet())) {
            close(number);
        }
        nudge.close();
        selector.close();
        context.term();
    }
}
