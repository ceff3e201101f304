"""Cases on the PLAIN mechanism (RFC 24)."""
