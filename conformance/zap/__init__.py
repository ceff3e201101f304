"""ZAP: what a server asks the handler of its application, and what it makes of the reply (RFC 27)."""
