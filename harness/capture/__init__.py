"""Captures of others' connections: read, put together, decoded and judged against the ledger."""
