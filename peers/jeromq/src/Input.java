import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Standard input, which no selector can wait for: a thread reads its lines and wakes the one that wants them. */
final class Input {
    private static final int READ_OCTETS = 1 << 16;

    private final InputStream stream;
    private final Queue<String> lines = new ConcurrentLinkedQueue<>();
    private volatile boolean ended;
    private volatile IOException broken;

    Input(InputStream stream) {
        this.stream = stream;
    }

    /** Reads from now on; `news` is run after each line and at the end. */
    void start(Runnable news) {
        Thread reader = new Thread(() -> {
            try {
                read(news);
            } catch (IOException error) {
                broken = error;
            }
            ended = true;
            news.run();
        }, "input");
        reader.setDaemon(true);
        reader.start();
    }

    private void read(Runnable news) throws IOException {
        byte[] buffer = new byte[READ_OCTETS];
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int count; (count = stream.read(buffer)) > 0; ) {
            int start = 0;
            for (int at = 0; at < count; at++) {
                if (buffer[at] == '\n') {
                    line.write(buffer, start, at - start);
                    lines.add(line.toString(StandardCharsets.UTF_8));
                    line = new ByteArrayOutputStream();
                    start = at + 1;
                    news.run();
                }
            }
            line.write(buffer, start, count - start);
        }
        if (line.size() > 0) {
            throw new IOException("the input ends within a line");
        }
    }

    /** The next line, null if there is none now. */
    String poll() throws IOException {
        boolean last = ended;
        String line = lines.poll();
        if (line == null && last && broken != null) {
            throw broken;
        }
        return line;
    }

    /** Whether no line is left and none will come. */
    boolean ended() {
        return ended && lines.isEmpty();
    }
}
