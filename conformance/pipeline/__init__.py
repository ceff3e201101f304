"""PUSH and PULL (RFC 30)."""
