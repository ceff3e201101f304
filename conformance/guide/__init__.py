"""The patterns of the ZeroMQ guide as scenarios: their roles are played by any peers."""
