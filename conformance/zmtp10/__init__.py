"""ZMTP 1.0 (RFC 13), asked of peers that claim it."""
