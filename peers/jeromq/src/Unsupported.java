/** The library has no such operation, socket type or option. */
final class Unsupported extends Exception {
    private static final long serialVersionUID = 1;

    Unsupported(String what) {
        super(what);
    }
}
