"""The wire protocol: RFC 37 (ZMTP 3.1), 23 (3.0), 15 (2.0) and 13 (1.0)."""
