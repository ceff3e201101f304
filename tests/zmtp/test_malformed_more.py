"""Builders of illegal octets: what the codec makes of them."""

from harness.zmtp import Decoder, LegacyGreeting, malformed


def test_even_signature_is_the_head_of_an_unfinished_identity() -> None:
    octets = malformed.greeting_signature_even(announced=240)
    assert len(octets) == 64
    decoder = Decoder()
    assert decoder.feed(octets) == []
    assert decoder.version == 1
    (received,) = decoder.feed(bytes(240 - 55))
    assert isinstance(received.value, LegacyGreeting)
    assert len(received.value.identity) == 239
