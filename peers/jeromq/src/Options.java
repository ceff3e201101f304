import static java.util.Map.entry;

import com.google.gson.JsonElement;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.stream.Stream;
import org.zeromq.ZMQ;

/** What differs between JeroMQ's versions: its calls are looked up by name, and one that is not there is unsupported. */
final class Options {
    /** The library's setters and getters, without their set, get or is. */
    private static final Map<String, String> PROPERTIES = Map.ofEntries(
            entry("identity", "Identity"),
            entry("send-hwm", "SndHWM"),
            entry("receive-hwm", "RcvHWM"),
            entry("linger-ms", "Linger"),
            entry("mandatory", "RouterMandatory"),
            entry("handover", "RouterHandover"),
            entry("heartbeat-interval-ms", "HeartbeatIvl"),
            entry("heartbeat-timeout-ms", "HeartbeatTimeout"),
            entry("heartbeat-ttl-ms", "HeartbeatTtl"),
            entry("max-message-octets", "MaxMsgSize"),
            entry("handshake-interval-ms", "HandshakeIvl"),
            entry("conflate", "Conflate"),
            entry("immediate", "DelayAttachOnConnect"), // JeroMQ's Immediate is the contrary
            entry("reconnect-interval-ms", "ReconnectIVL"),
            entry("xpub-verbose", "XpubVerbose"),
            entry("probe-router", "ProbeRouter"),
            entry("req-relaxed", "ReqRelaxed"),
            entry("req-correlate", "ReqCorrelate"));

    private Options() {
    }

    static void set(ZMQ.Socket socket, String option, JsonElement value) throws Exception {
        String setter = "set" + property(option);
        Method method = Stream.of(ZMQ.Socket.class.getMethods())
                .filter(candidate -> candidate.getName().equals(setter)).findAny()
                .orElseThrow(() -> new Unsupported(option));
        Class<?> type = method.getParameterTypes()[0];
        invoke(method, socket, type == byte[].class ? Adapter.octets(value)
                : type == boolean.class ? value.getAsBoolean()
                : type == int.class ? (Object) value.getAsInt() : (Object) value.getAsLong());
    }

    static Object get(ZMQ.Socket socket, String option) throws Exception {
        String property = property(option);
        Method method = Stream.of(ZMQ.Socket.class.getMethods())
                .filter(candidate -> candidate.getName().matches("(get|is)" + property)).findAny()
                .orElseThrow(() -> new Unsupported(option));
        return method.invoke(socket);
    }

    private static String property(String option) throws Unsupported {
        if (!PROPERTIES.containsKey(option)) {
            throw new Unsupported(option);
        }
        return PROPERTIES.get(option);
    }

    /** Calls a method that takes a text. */
    static void call(ZMQ.Socket socket, String name, String argument) throws Exception {
        Method method;
        try {
            method = ZMQ.Socket.class.getMethod(name, String.class);
        } catch (NoSuchMethodException error) {
            throw new Unsupported(name);
        }
        invoke(method, socket, argument);
    }

    /** The library's own proxy; it ends by a message on `control`. */
    static Method proxy() throws Unsupported {
        try {
            return ZMQ.class.getMethod("proxy", ZMQ.Socket.class, ZMQ.Socket.class, ZMQ.Socket.class, ZMQ.Socket.class);
        } catch (NoSuchMethodException error) {
            throw new Unsupported("proxy");
        }
    }

    /** Has `handler` told of errors that the library's threads survive; older versions keep them to themselves. */
    static void tellFailures(ZMQ.Context context, Thread.UncaughtExceptionHandler handler) {
        try {
            ZMQ.Context.class.getMethod("setNotificationExceptionHandler", Thread.UncaughtExceptionHandler.class)
                    .invoke(context, handler);
        } catch (NoSuchMethodException older) {
            // there is nobody to tell
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }

    private static void invoke(Method method, ZMQ.Socket socket, Object argument) throws Exception {
        try {
            if (Boolean.FALSE.equals(method.invoke(socket, argument))) {
                throw new IllegalArgumentException(method.getName() + ": " + zmq.ZError.toString(socket.base().errno()));
            }
        } catch (InvocationTargetException error) {
            throw error.getCause() instanceof Exception cause ? cause : error;
        }
    }
}
