"""Several sockets of one implementation with one of another: shared out, gathered, and each answered."""

from collections import Counter
from collections.abc import Sequence

from conformance.interop.line import NEEDS, PUBLISHERS, SUBSCRIBERS, Line, of_types, open_end
from harness.case import Judge, case
from harness.pairing import Pairing
from harness.peer import RemoteSocket, show_parts
from harness.verdict import Mismatch

PUBLISHING = [(publisher, subscriber) for publisher in PUBLISHERS for subscriber in SUBSCRIBERS]
ASKING = [("REQ", "REP"), ("REQ", "ROUTER"), ("DEALER", "REP"), ("DEALER", "ROUTER")]
SENDERS = 2
WORKERS = 3
ROUNDS = 10


def lines_to_one(pair: Pairing, many: str, first_type: str, second_type: str, count: int) -> list[Line]:
    """`count` sockets of the type `many`, each joined with the one socket of the other type."""
    if first_type == many:
        one = open_end(pair.second, second_type, b"one")
        return [Line(pair, open_end(pair.first, many, b"%d" % n), one).meet() for n in range(count)]
    one = open_end(pair.first, first_type, b"one")
    return [Line(pair, one, open_end(pair.second, many, b"%d" % n)).meet() for n in range(count)]


def meet_all(push: RemoteSocket, pulls: Sequence[RemoteSocket]) -> None:
    """Push until every puller has had a message, and leave none of those."""
    deadline = push.peer.deadlines.deadline("delivery")
    met: set[RemoteSocket] = set()
    while len(met) < len(pulls):
        if deadline.expired:
            raise Mismatch(
                f"each of {len(pulls)} peers gets a message",
                f"only {len(met)} do within {deadline.seconds:g} s",
                "30/push/round-robin",
            )
        push.send([b"are you there?"])
        puller = pulls[0].peer.readable(*pulls)
        Judge.that(bool(puller), "the message arrives", "no puller has it", "30/push/no-discard")
        puller[0].recv()
        met.add(puller[0])


@case(
    "interop/several/publishers-to-one-subscriber",
    clauses=["29/sub/deliver", "29/xsub/deliver", "37/sockets/ordered", "37/sockets/no-duplicates"],
    needs=NEEDS,
)
@of_types(PUBLISHING)
def test_publishers_to_one_subscriber(pair: Pairing, first_type: str, second_type: str) -> None:
    """What two publishers send comes to their subscriber whole, once, and in the order of each."""
    publishing = first_type if first_type in PUBLISHERS else second_type
    lines = lines_to_one(pair, publishing, first_type, second_type, SENDERS)
    sent = [[b"%d/%d" % (line, number)] for number in range(ROUNDS) for line in range(SENDERS)]
    for parts in sent:
        lines[int(parts[0][:1])].speaker.send(parts)
    came = [lines[0].hearer.recv() for _ in sent]
    for n in range(SENDERS):
        of_one = [parts for parts in came if parts[0].startswith(b"%d/" % n)]
        Judge.equal(of_one, [parts for parts in sent if parts[0].startswith(b"%d/" % n)])


@case(
    "interop/several/work-is-shared-among-pullers",
    clauses=["30/push/round-robin", "30/push/no-discard", "37/sockets/no-duplicates"],
    needs=NEEDS,
)
@of_types([("PUSH", "PULL")])
def test_work_is_shared_among_pullers(pair: Pairing, first_type: str, second_type: str) -> None:
    """What is pushed to three pullers arrives once each, at one of them, and none goes without."""
    lines = lines_to_one(pair, "PULL", first_type, second_type, WORKERS)
    push, pulls = lines[0].speaker, [line.hearer for line in lines]
    meet_all(push, pulls)
    tasks = [b"task %d" % number for number in range(ROUNDS * WORKERS)]
    for task in tasks:
        push.send([task])
    done: Counter[bytes] = Counter()
    shares: Counter[RemoteSocket] = Counter()
    for _ in tasks:
        ready = pulls[0].peer.readable(*pulls)
        Judge.that(bool(ready), f"{len(tasks)} tasks", f"{done.total()} arrived", "30/push/no-discard")
        done[ready[0].recv()[0]] += 1
        shares[ready[0]] += 1
    Judge.equal(done, Counter(tasks), "37/sockets/no-duplicates")
    Judge.that(len(shares) == WORKERS, f"work for {WORKERS}", f"work for {len(shares)}")


@case(
    "interop/several/each-gets-its-own-reply",
    clauses=["28/rep/to-origin", "28/router/route", "28/rep/fair-queue", "28/router/fair-queue"],
    needs=NEEDS,
)
@of_types(ASKING)
def test_each_gets_its_own_reply(pair: Pairing, first_type: str, second_type: str) -> None:
    """Three ask one at the same time: every request is heard, and each reply goes to who asked."""
    asking = first_type if first_type in ("REQ", "DEALER") else second_type
    lines = lines_to_one(pair, asking, first_type, second_type, WORKERS)
    server = lines[0].hearer
    for line, parts in zip(lines, ([b"%d" % n] for n in range(WORKERS)), strict=True):
        line.speaker.send(line.framed(line.speaker, parts))
    for _ in lines:
        request = lines[0].heard(server)
        server.send([*request[:-1], request[-1] + b" answered"])
    for n, line in enumerate(lines):
        expected = line.framed(line.speaker, [b"%d answered" % n])
        actual = line.heard(line.speaker)
        Judge.that(actual == expected, show_parts(expected), show_parts(actual))
