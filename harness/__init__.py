"""zconform: a harness that judges ZeroMQ implementations from recorded wire traces."""
