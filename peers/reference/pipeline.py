"""PUSH and PULL (RFC 30)."""

from .base import Socket


class Push(Socket):
    """Round-robin out; what peers send is discarded."""

    type = "PUSH"
    can_receive = False


class Pull(Socket):
    """Fair-queued in."""

    type = "PULL"
    can_send = False
