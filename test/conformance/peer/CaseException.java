/** A case that the peer cannot play: its own limit, never the library's verdict. */
final class CaseException extends RuntimeException {
    CaseException(String message) {
        super(message);
    }
}
