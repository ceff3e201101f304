"""PAIR (RFC 31)."""
