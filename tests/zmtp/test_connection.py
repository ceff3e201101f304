"""Strict connections against each other and against a scripted partner."""

import itertools

import pytest

from harness.zmtp import (
    AnyCommand,
    Cancel,
    Command,
    Config,
    Connection,
    Decoder,
    Error,
    Event,
    Greeting,
    GreetingReceived,
    HandshakeDone,
    LegacyGreeting,
    LocalProtocolError,
    Message,
    Ping,
    Pong,
    Ready,
    RemoteProtocolError,
    State,
    Subscribe,
)
from harness.zmtp.grammar import SOCKET_TYPES, are_partners
from tests.zmtp.pairs import Pair, handshaken

VERSIONS = [(3, 1), (3, 0), (2, 0), (1, 0)]
# A version, and the oldest that is spoken beside it.
Speaker = tuple[tuple[int, int], int]
SPEAKERS = [(version, lowest) for version in VERSIONS for lowest in range(1, version[0] + 1)]
PACES = pytest.mark.parametrize("octet_by_octet", [False, True], ids=["at-once", "octet-by-octet"])
ALL_PAIRS = list(itertools.product(SOCKET_TYPES, SOCKET_TYPES))
COMPLEX = Message(b"", b"part", bytes(256), bytes(700), b"")


def common_version(one: Speaker, other: Speaker) -> int | None:
    (version, lowest), (others, others_lowest) = one, other
    spoken = min(version[0], others[0])
    return spoken if spoken >= max(lowest, others_lowest) else None


SPEAK = [(one, other) for one in SPEAKERS for other in SPEAKERS if common_version(one, other)]


@PACES
@pytest.mark.parametrize("dialer", SPEAKERS, ids=str)
@pytest.mark.parametrize("listener", SPEAKERS, ids=str)
def test_any_two_versions(dialer: Speaker, listener: Speaker, octet_by_octet: bool) -> None:
    pair = Pair(
        Config("DEALER", b"me", dialer[0], lowest=dialer[1]),
        Config("DEALER", b"you", listener[0], lowest=listener[1]),
        octet_by_octet=octet_by_octet,
    )
    spoken = common_version(dialer, listener)
    if spoken is None:
        with pytest.raises(RemoteProtocolError):
            pair.start()
        assert pair.dialer.failed or pair.listener.failed
        return
    pair.start()
    assert (pair.dialer.state, pair.listener.state) == (State.TRAFFIC, State.TRAFFIC)
    assert (pair.dialer.version, pair.listener.version) == (spoken, spoken)
    socket_type = "DEALER" if spoken > 1 else None
    done = [event for event in pair.listener_events if isinstance(event, HandshakeDone)]
    assert [(event.socket_type, event.identity) for event in done] == [(socket_type, b"me")]
    pair.clear()
    pair.dialer.send(COMPLEX)
    pair.listener.send(Message(b"back"))
    pair.settle()
    assert pair.listener_events == [COMPLEX]
    assert pair.dialer_events == [Message(b"back")]


@pytest.mark.parametrize(("dialer", "listener"), SPEAK, ids=str)
def test_the_decoder_agrees_with_what_was_spoken(dialer: Speaker, listener: Speaker) -> None:
    """A second reading of both directions finds no fault, and the same message at the end."""
    pair = Pair(
        Config("PAIR", b"me", dialer[0], lowest=dialer[1]),
        Config("PAIR", b"", listener[0], lowest=listener[1]),
    ).start()
    pair.dialer.send(Message(b"a", b"b"))
    pair.settle()
    major = None if listener[0][0] == 1 else {2: 1}.get(listener[0][0], 3)
    received = Decoder(major).feed(bytes(pair.dialer_sent))
    assert [fault for each in received for fault in each.faults] == []
    assert received[-1].value == Message(b"a", b"b")
    assert received[-1].end == len(pair.dialer_sent)


@pytest.mark.parametrize(
    ("version", "lowest", "octets"),
    [((3, 1), 1, 10), ((3, 1), 2, 11), ((3, 1), 3, 64), ((3, 0), 3, 64), ((2, 0), 1, 10), ((2, 0), 2, 16)],
)
def test_how_much_goes_out_before_the_partner_speaks(
    version: tuple[int, int], lowest: int, octets: int
) -> None:
    connection = Connection(Config("REQ", b"me", version, lowest=lowest))
    connection.start()
    sent = connection.take_output()
    assert len(sent) == octets
    assert sent[:10] == b"\xff" + (3 if lowest == 1 else 0).to_bytes(8, "big") + b"\x7f"
    assert connection.take_output() == b""


def test_each_octet_of_the_partner_draws_what_it_must() -> None:
    """10 octets, then the version with the partner's tenth octet, then the rest with its version."""
    connection = Connection(Config("REQ"))
    connection.start()
    sent = [len(connection.take_output())]
    for octet in Greeting().serialize():
        connection.receive(bytes([octet]))
        sent.append(len(connection.take_output()))
    ready = len(Ready("REQ", b"").serialize())
    assert {at: size for at, size in enumerate(sent) if size} == {0: 10, 10: 1, 11: 53, 64: ready}


@pytest.mark.parametrize("first", [10, 11, 64])
def test_the_partner_may_send_as_much_as_it_likes_first(first: int) -> None:
    connection = Connection(Config("REQ", lowest=3))
    connection.start()
    octets = Greeting(padding=bytes(7) + b"\x01").serialize() + Ready("REP").serialize()
    events = connection.receive(octets[:first]) + connection.receive(octets[first:])
    assert [type(event) for event in events] == [GreetingReceived, HandshakeDone]


@PACES
@pytest.mark.parametrize("minors", [(1, 1), (1, 0), (0, 1), (0, 0)])
def test_subscriptions_take_the_form_of_the_lower_version(
    minors: tuple[int, int], octet_by_octet: bool
) -> None:
    pair = Pair(
        Config("SUB", version=(3, minors[0])),
        Config("PUB", version=(3, minors[1])),
        octet_by_octet=octet_by_octet,
    )
    pair.start().clear()
    pair.dialer.send(Subscribe(b"A"))
    pair.dialer.send(Cancel(b"A"))
    pair.settle()
    expected: list[Event] = [Subscribe(b"A"), Cancel(b"A")]
    if minors != (1, 1):
        expected = [Message(b"\x01A"), Message(b"\x00A")]
    assert pair.listener_events == expected


@pytest.mark.parametrize(("version", "octets"), [((2, 0), b"\x00\x02\x01A\x00\x02\x00A"), ((1, 0), b"")])
def test_subscriptions_to_old_publishers(version: tuple[int, int], octets: bytes) -> None:
    """Messages in ZMTP 2.0 (RFC 15); nothing at all in 1.0, where a subscriber is silent (RFC 13)."""
    pair = Pair(Config("SUB"), Config("XPUB", version=version)).start().clear()
    pair.dialer.send(Subscribe(b"A"))
    pair.dialer.send(Cancel(b"A"))
    pair.settle()
    assert bytes(pair.dialer_sent) == octets


@pytest.mark.parametrize("socket_type", SOCKET_TYPES)
def test_who_announces_an_identity(socket_type: str) -> None:
    partner = next(other for other in SOCKET_TYPES if are_partners(socket_type, other))
    for version in ((3, 1), (2, 0), (1, 0)):
        pair = Pair(Config(socket_type, b"me"), Config(partner, version=version)).start()
        [done] = [event for event in pair.listener_events if isinstance(event, HandshakeDone)]
        announces = version < (3, 0) or socket_type in ("REQ", "DEALER", "ROUTER")
        assert done.identity == (b"me" if announces else b"")


@pytest.mark.parametrize(("one", "other"), ALL_PAIRS)
def test_socket_types(one: str, other: str) -> None:
    pair = Pair(Config(one), Config(other))
    if are_partners(one, other):
        pair.start()
        done = pair.listener_events[-1]
        assert isinstance(done, HandshakeDone)
        assert done.socket_type == one
        assert pair.dialer.state is State.TRAFFIC
        return
    with pytest.raises(RemoteProtocolError) as caught:
        pair.start()
    assert (caught.value.clause, caught.value.offset) == ("37/sockettype/enforce-type", 64)
    failed = pair.listener if pair.listener.failed else pair.dialer
    assert failed.take_output().endswith(Error(b"Invalid-socket-type").serialize())


@pytest.mark.parametrize(("one", "other"), ALL_PAIRS)
def test_socket_types_in_zmtp_20(one: str, other: str) -> None:
    pair = Pair(Config(one), Config(other, version=(2, 0)))
    if are_partners(one, other):
        assert pair.start().dialer.state is State.TRAFFIC
        return
    with pytest.raises(RemoteProtocolError) as caught:
        pair.start()
    assert (caught.value.clause, caught.value.offset) == ("15/compat/enforce-type", 11)


def test_an_unknown_or_absent_socket_type() -> None:
    connection = Connection(Config("REQ", lowest=3))
    connection.receive(Greeting().serialize())
    connection.take_output()
    with pytest.raises(RemoteProtocolError) as caught:
        connection.receive(Ready("BOGUS").serialize())
    assert caught.value.clause == "37/sockettype/enforce-type"
    assert connection.take_output() == Error(b"Invalid-socket-type").serialize()
    other = Connection(Config("REQ", lowest=3))
    events = other.receive(Greeting().serialize() + Ready().serialize())
    assert events[-1] == HandshakeDone(None, b"")


@pytest.mark.parametrize(
    ("partner", "lowest", "clause", "offset"),
    [
        (LegacyGreeting(1, "REP"), 3, "37/version/cannot-downgrade-close", 10),
        (LegacyGreeting(None), 3, "37/abnf/signature", 0),
        (LegacyGreeting(None), 2, "37/abnf/signature", 0),
        (LegacyGreeting(None, None, bytes(255)), 2, "37/abnf/signature", 9),
    ],
)
def test_downgrades_that_are_refused(partner: LegacyGreeting, lowest: int, clause: str, offset: int) -> None:
    connection = Connection(Config("REQ", lowest=lowest))
    connection.start()
    with pytest.raises(RemoteProtocolError) as caught:
        connection.receive(partner.serialize())
    assert (caught.value.clause, caught.value.offset) == (clause, offset)
    assert connection.failed


@pytest.mark.parametrize(
    ("partner", "offset"),
    [(LegacyGreeting(1, "REP"), 10), (LegacyGreeting(None), 0), (LegacyGreeting(None, None, bytes(255)), 9)],
)
def test_an_old_version_cannot_be_secure(partner: LegacyGreeting, offset: int) -> None:
    connection = Connection(Config("REQ", mechanism="CURVE"))
    with pytest.raises(RemoteProtocolError) as caught:
        connection.receive(partner.serialize())
    assert (caught.value.clause, caught.value.offset) == ("37/interop/d10-secure-close", offset)


def test_a_draft_type_has_no_old_version() -> None:
    connection = Connection(Config("CLIENT"))
    with pytest.raises(RemoteProtocolError) as caught:
        connection.receive(LegacyGreeting(1, "REP").serialize())
    assert caught.value.clause == "37/version/cannot-downgrade-close"


@PACES
@pytest.mark.parametrize(("ours", "theirs"), [("NULL", "PLAIN"), ("CURVE", "NULL"), ("CURVE", "PLAIN")])
def test_mechanisms_must_match(ours: str, theirs: str, octet_by_octet: bool) -> None:
    pair = Pair(Config("REQ", mechanism=ours), Config("REP", mechanism=theirs), octet_by_octet=octet_by_octet)
    with pytest.raises(RemoteProtocolError) as caught:
        pair.start()
    assert (caught.value.clause, caught.value.offset) == ("37/auth/mismatch-close", 12)


@pytest.mark.parametrize("version", [(3, 2), (4, 0), (255, 255)])
def test_higher_versions_are_spoken_to_in_our_own(version: tuple[int, int]) -> None:
    connection = Connection(Config("SUB"))
    events = connection.receive(Greeting(version).serialize() + Ready("PUB").serialize())
    assert events[0] == GreetingReceived(Greeting(version), 3)
    connection.take_output()
    connection.send(Subscribe(b"A"))
    assert connection.take_output() == Subscribe(b"A").serialize()


class TestTraffic:
    def test_ping_is_answered_with_its_context(self) -> None:
        connection = handshaken("REQ", "REP")
        assert connection.receive(Ping(5, b"ctx").serialize()) == [Ping(5, b"ctx")]
        assert connection.take_output() == Pong(b"ctx").serialize()

    def test_unknown_commands_and_ready_again_do_no_harm(self) -> None:
        connection = handshaken("REQ", "REP")
        octets = Command(b"BOGUS", b"x").serialize() + Ready("REP").serialize() + Message(b"a").serialize()
        assert connection.receive(octets) == [Command(b"BOGUS", b"x"), Message(b"a")]
        assert connection.take_output() == b""

    def test_error_is_fatal_and_the_rest_is_ignored(self) -> None:
        connection = handshaken("REQ", "REP")
        assert connection.receive(Error(b"why").serialize() + Message(b"a").serialize()) == [Error(b"why")]
        assert connection.failed
        assert connection.receive(Message(b"a").serialize() + b"\xff\xff") == []

    def test_a_reason_of_words_is_still_a_reason(self) -> None:
        connection = Connection(Config("REQ", lowest=3))
        connection.receive(Greeting().serialize())
        octets = Command(b"ERROR", b"\x09bad luck!").serialize()
        assert connection.receive(octets) == [Error(b"bad luck!")]

    def test_what_came_before_illegal_octets_is_not_lost(self) -> None:
        connection = handshaken("REQ", "REP")
        octets = Message(b"a").serialize() + b"\xf8\x00" + Message(b"b").serialize()
        seen = []
        with pytest.raises(RemoteProtocolError):  # noqa: PT012 (what came before it counts)
            for event in connection.events(octets):
                seen.append(event)
        assert seen == [Message(b"a")]
        assert connection.failed

    @pytest.mark.parametrize(
        ("octets", "clause"),
        [
            (Message(b"early").serialize(), "37/null/send-after-both"),
            (Ping().serialize(), "37/null/abnf-null"),
            (Subscribe(b"").serialize(), "37/null/abnf-null"),
        ],
    )
    def test_too_early(self, octets: bytes, clause: str) -> None:
        connection = Connection(Config("PUB", lowest=3))
        connection.receive(Greeting().serialize())
        with pytest.raises(RemoteProtocolError) as caught:
            connection.receive(octets)
        assert (caught.value.clause, caught.value.offset) == (clause, 64)

    @pytest.mark.parametrize("value", [Message(b"a"), Ping(), Subscribe(b"")])
    def test_we_wait_as_well(self, value: Message | AnyCommand) -> None:
        connection = Connection(Config("SUB"))
        connection.start()
        sent = connection.take_output()
        with pytest.raises(LocalProtocolError):
            connection.send(value)
        assert (connection.take_output(), len(sent)) == (b"", 10)

    def test_ready_goes_out_once(self) -> None:
        connection = handshaken("REQ", "REP")
        with pytest.raises(LocalProtocolError) as caught:
            connection.send(Ready("REQ"))
        assert caught.value.clause == "37/null/abnf-null"
        assert connection.take_output() == b""

    def test_our_error_ends_it(self) -> None:
        by_send, by_fail = handshaken("REQ", "REP"), handshaken("REQ", "REP")
        by_send.send(Error(b"why"))
        by_fail.fail(b"why")
        assert by_send.take_output() == by_fail.take_output() == Error(b"why").serialize()
        assert by_send.failed
        assert by_fail.failed
        with pytest.raises(LocalProtocolError):
            by_fail.send(Message(b"a"))

    def test_a_value_outside_the_grammar_changes_nothing(self) -> None:
        connection = handshaken("REQ", "REP")
        with pytest.raises(LocalProtocolError):
            connection.send(Error(b"two words"))
        with pytest.raises(LocalProtocolError):
            connection.fail(b"two words")
        assert (connection.take_output(), connection.state) == (b"", State.TRAFFIC)


@pytest.mark.parametrize("version", [(2, 0), (1, 0)])
def test_old_versions_have_no_commands(version: tuple[int, int]) -> None:
    pair = Pair(Config("REQ"), Config("REP", version=version)).start().clear()
    with pytest.raises(LocalProtocolError):
        pair.dialer.send(Ping())
    pair.dialer.fail(b"why")
    assert (pair.dialer.take_output(), pair.dialer.failed) == (b"", True)


def test_frames_of_length_zero_in_zmtp_10_are_passed_over() -> None:
    connection = Connection(Config("PULL"))
    connection.start()
    events = connection.receive(b"\x01\x00" + b"\x00" + b"\x02\x00a")
    assert events[-1] == Message(b"a")


@pytest.mark.parametrize(
    ("config", "clause"),
    [
        (Config("REQ", b"i" * 256), "37/identity/abnf-identity"),
        (Config("PAIR", b"i" * 256), "37/identity/abnf-identity"),
        (Config("REQ", b"\0a"), "37/identity/no-leading-zero"),
        (Config("REQ", mechanism="null"), "37/auth/name-charset"),
        (Config("REQ", properties=((b"", b""),)), "37/null/name-length"),
        (Config("CLIENT", version=(2, 0)), "15/grammar/abnf-socket-type"),
    ],
    ids=["identity", "identity-of-pair", "zero", "mechanism", "property", "type"],
)
def test_what_could_not_be_sent_is_refused_at_once(config: Config, clause: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        Connection(config)
    assert caught.value.clause == clause


def test_properties_of_our_own_arrive() -> None:
    pair = Pair(Config("REQ", properties=((b"X-Colour", b"red"),)), Config("REP")).start()
    done = pair.listener_events[-1]
    assert isinstance(done, HandshakeDone)
    assert done.properties == ((b"Socket-Type", b"REQ"), (b"Identity", b""), (b"X-Colour", b"red"))
