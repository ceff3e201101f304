"""ZMTP 2.0 (RFC 15), asked of peers that claim it."""
