"""Publish-subscribe: PUB, SUB, XPUB and XSUB (RFC 29, and the patterns of RFC 37 and RFC 23)."""
