"""The two ways a conversation can leave the protocol: our fault, or the partner's."""


class ProtocolError(Exception):
    """A rule of ZMTP did not hold.

    `clause` is the ledger's id of the rule (such as "37/framing/reserved-zero"), `message` says in
    one line what was wrong, `offset` is the position in octets from the start of that direction of
    the connection (None where no octet was seen, as for a value that we refuse to send).
    """

    def __init__(self, clause: str, message: str, offset: int | None = None) -> None:
        super().__init__(clause, message, offset)
        self.clause = clause
        self.message = message
        self.offset = offset

    def __str__(self) -> str:
        place = "" if self.offset is None else f" at octet {self.offset}"
        return f"{self.message}{place} [{self.clause}]"


class LocalProtocolError(ProtocolError):
    """We were asked to send what the protocol forbids, or at a time when it forbids it."""


class RemoteProtocolError(ProtocolError):
    """The partner sent what the protocol forbids, or at a time when it forbids it."""
