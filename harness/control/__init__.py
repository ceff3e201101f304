"""The control protocol: how the harness speaks to a peer's adapter over stdio."""
