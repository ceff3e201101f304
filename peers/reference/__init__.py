"""The reference peer: ZeroMQ sockets made of `harness.zmtp`, serving the control protocol.

Every decision is one small method, so that a faulty peer can be made by replacing a single one.
"""
