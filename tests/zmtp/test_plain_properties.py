"""What must hold of PLAIN for any credentials and any octets whatever (HYPOTHESIS_PROFILE)."""

from hypothesis import given
from hypothesis import strategies as st

from harness.zmtp import Config, Greeting, HandshakeDone, Hello, Initiate, State, Welcome, malformed
from tests.zmtp.pairs import Pair, cut
from tests.zmtp.test_properties import (
    ERRORS,
    FRAMES,
    PLACES,
    PROPERTIES,
    READIES,
    decoded,
    decodes_alike,
    goes_alike,
    strict,
)

CREDENTIALS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=255).map(str.encode)
HELLOS = st.builds(Hello, CREDENTIALS, CREDENTIALS)
INITIATES = READIES.map(lambda ready: Initiate(properties=ready.properties))
COMMANDS = st.lists(HELLOS | st.just(Welcome()) | INITIATES | READIES | ERRORS, max_size=5)
GREETINGS = st.integers(0, 1).map(lambda as_server: Greeting(mechanism="PLAIN", as_server=as_server))
GOOD = Hello(b"admin", b"secret")
BODIES = st.sampled_from(
    [b"\5HELLO", b"\5HELLO\1a\1b", b"\7WELCOME", b"\x08INITIATE", b"\5READY", b"\5ERROR\0", b"\5HELLO\2a\1b"]
)
PIECES = (
    FRAMES
    | BODIES.map(lambda body: malformed.frame(4, body))
    | st.sampled_from([GOOD.serialize(), Welcome().serialize(), Initiate("DEALER").serialize()])
    | st.binary(max_size=20)
)
STREAMS = st.tuples(GREETINGS, st.lists(PIECES, max_size=6)).map(
    lambda parts: parts[0].serialize() + b"".join(parts[1])
)
CONFIGS = st.sampled_from(
    [
        Config("ROUTER", mechanism="PLAIN", username=b"admin", password=b"secret"),
        Config("REQ", b"me", mechanism="PLAIN", lowest=3, max_octets=30),
        Config("ROUTER", mechanism="PLAIN", as_server=True, accepts=lambda *given: given == (b"a", b"b")),
        Config("DEALER", mechanism="PLAIN", as_server=True, accepts=lambda *_: True),
    ]
)


@given(GREETINGS, COMMANDS, PLACES)
def test_commands_come_back(
    greeting: Greeting, commands: list[Hello | Welcome | Initiate], places: list[int]
) -> None:
    octets = greeting.serialize() + b"".join(command.serialize() for command in commands)
    decoder, received = decoded(cut(octets, places))
    assert [each.value for each in received] == [greeting, *commands]
    assert not any(each.faults for each in received)
    assert decoder.pending == b""


@given(STREAMS, PLACES)
def test_decoder_takes_any_octets_in_any_pieces(octets: bytes, places: list[int]) -> None:
    decodes_alike(octets, places)


@given(CONFIGS, STREAMS, PLACES)
def test_a_strict_connection_takes_any_octets_in_any_pieces(
    config: Config, octets: bytes, places: list[int]
) -> None:
    goes_alike(config, octets, places)


@given(HELLOS, HELLOS, PROPERTIES, st.booleans())
def test_who_is_let_in(
    good: Hello, given_: Hello, properties: tuple[tuple[bytes, bytes], ...], octet_by_octet: bool
) -> None:
    """Whose credentials are good, and nobody else; its properties arrive."""
    secret = (good.username, good.password)
    server = Config("PULL", mechanism="PLAIN", as_server=True, accepts=lambda *given: given == secret)
    client = Config(
        "PUSH", mechanism="PLAIN", username=good.username, password=good.password, properties=properties
    )
    pair = Pair(client, server, octet_by_octet=octet_by_octet).start()
    assert pair.dialer.state is pair.listener.state is State.TRAFFIC
    [done] = [event for event in pair.listener_events if isinstance(event, HandshakeDone)]
    assert done.properties == ((b"Socket-Type", b"PUSH"), *properties)
    events, error, _ = strict(server, [Greeting(mechanism="PLAIN").serialize() + given_.serialize()])
    assert (error is None) is (given_ == good)
    assert len(events) == 1
