"""Cases on CURVE (RFC 26 and 25)."""
