"""What only drafts define: the thread-safe socket types (RFC 41, 48, 49, 51 and 52), and ZWS (RFC 45)."""
