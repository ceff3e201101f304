import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.zeromq.ZMQ;
import org.zeromq.ZMQException;
import zmq.Msg;
import zmq.ZError;

/** The draft types, by reflection, as older versions do not have them: a routing id or a group belongs to a message. */
final class Drafts {
    private static final Map<String, Integer> TYPES = Map.of("SERVER", 12, "CLIENT", 13, "RADIO", 14, "DISH", 15,
            "CHANNEL", 16, "PEER", 17, "SCATTER", 19, "GATHER", 20);

    private Drafts() {}

    /** The library's number of a type, -1 where it does not have that. */
    static int type(String name) {
        return has("setRoutingId") ? TYPES.getOrDefault(name, -1) : -1;
    }

    private static boolean has(String method) {
        return List.of(Msg.class.getMethods()).stream().anyMatch(one -> one.getName().equals(method));
    }

    static boolean is(ZMQ.Socket socket, String name) {
        return TYPES.get(name) == socket.getType();
    }

    private static boolean isRouted(ZMQ.Socket socket) {
        return is(socket, "SERVER") || is(socket, "PEER");
    }

    private static boolean isGrouped(ZMQ.Socket socket) {
        return is(socket, "RADIO") || is(socket, "DISH");
    }

    /** Whether the first part stands for something that is no frame. */
    static boolean hasHead(ZMQ.Socket socket) {
        return isRouted(socket) || isGrouped(socket);
    }

    /** JeroMQ has groups as text, and writes them in ASCII. */
    static String group(byte[] octets) {
        return new String(octets, StandardCharsets.ISO_8859_1);
    }

    /** False where the socket would block at the first frame. */
    static boolean send(ZMQ.Socket socket, List<byte[]> parts) {
        if (parts.size() < 2 || isRouted(socket) && parts.get(0).length != Integer.BYTES) {
            throw new UnsupportedOperationException("no routing id or group, and a message");
        }
        for (int i = 1; i < parts.size(); i++) {
            Msg message = new Msg(parts.get(i));
            byte[] head = parts.get(0);
            Object set = isRouted(socket)
                    ? call(message, "setRoutingId", int.class, ByteBuffer.wrap(head).getInt())
                    : call(message, "setGroup", String.class, group(head));
            if (Boolean.FALSE.equals(set)) {
                throw new UnsupportedOperationException("no routing id, or no group");
            }
            if (!socket.base().send(message, ZMQ.DONTWAIT | (i < parts.size() - 1 ? ZMQ.SNDMORE : 0))) {
                int error = socket.base().errno();
                if (i == 1 && error == ZError.EAGAIN) {
                    return false;
                }
                throw new ZMQException("send", error);
            }
        }
        return true;
    }

    /** A message behind its routing id or group, null where there is none. */
    static List<byte[]> receive(ZMQ.Socket socket) {
        Msg message = socket.base().recv(ZMQ.DONTWAIT);
        if (message == null) {
            int error = socket.base().errno();
            if (error != ZError.EAGAIN) {
                throw new ZMQException("recv", error);
            }
            return null;
        }
        byte[] head = isRouted(socket)
                ? ByteBuffer.allocate(Integer.BYTES).putInt((int) call(message, "getRoutingId", null, null)).array()
                : ((String) call(message, "getGroup", null, null)).getBytes(StandardCharsets.ISO_8859_1);
        List<byte[]> parts = new ArrayList<>(List.of(head, message.data()));
        while (message.hasMore()) {
            message = socket.base().recv(ZMQ.DONTWAIT);
            parts.add(message.data());
        }
        return parts;
    }

    /** Connects a PEER: the routing id of whoever will be met, four octets. */
    static byte[] connectPeer(ZMQ.Socket socket, String endpoint) {
        int id = (int) call(socket, "connectPeer", String.class, endpoint);
        if (id == 0) {
            throw new ZMQException("connectPeer", socket.base().errno());
        }
        return ByteBuffer.allocate(Integer.BYTES).putInt(id).array();
    }

    private static Object call(Object object, String name, Class<?> takes, Object argument) {
        try {
            Method method = takes == null ? object.getClass().getMethod(name) : object.getClass().getMethod(name, takes);
            return takes == null ? method.invoke(object) : method.invoke(object, argument);
        } catch (java.lang.reflect.InvocationTargetException error) {
            throw error.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(error);
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }
}
