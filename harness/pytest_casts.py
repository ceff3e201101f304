"""Scenarios as pytest items: one for each cast, and for a peer that can play nothing one that says so."""

from __future__ import annotations

import pytest

from harness.known import cast_name
from harness.pytest_bench import bench_of
from harness.pytest_fixtures import Asking
from harness.pytest_selection import case_of, params_of, repeat
from harness.stage.casting import Cast, CastError, Dealer, missing_roles, parse_cast
from harness.stage.scenario import Scenario

_DEALER = pytest.StashKey[Dealer]()


def parametrize_casts(metafunc: pytest.Metafunc) -> None:
    """One item for each cast: dealt from the seed, or where peers are named each beside libzmq."""
    config, asked = metafunc.config, case_of(metafunc.function)
    assert isinstance(asked, Scenario)
    bench = bench_of(config)
    if not bench.singles:
        return
    casts = _casts(config, asked)
    names = [cast_name(cast) for cast in casts]
    if not config.option.cast:
        names += [peer for peer in bench.singles if missing_roles(asked, peer, bench.manifests, casts)]
    metafunc.parametrize("cast_name", names)
    repeat(metafunc)


def _casts(config: pytest.Config, asked: Scenario) -> list[Cast]:
    bench = bench_of(config)
    dealer = _dealer(config)
    if not config.option.peer:
        return dealer.deal(asked, bench.singles)
    return [cast for peer in bench.singles for cast in dealer.beside(asked, peer, bench.beside)]


def _dealer(config: pytest.Config) -> Dealer:
    if _DEALER not in config.stash:
        bench = bench_of(config)
        try:
            wanted = parse_cast(",".join(config.option.cast))
        except CastError as error:
            raise pytest.UsageError(str(error)) from None
        for role, peer in wanted.items():
            if peer not in bench.manifests:
                raise pytest.UsageError(f"--cast: {role}: no peer {peer} is among those that are judged")
        config.stash[_DEALER] = Dealer(bench.manifests, config.option.seed, wanted)
    return config.stash[_DEALER]


def cast_of(item: pytest.Item) -> Cast:
    """Who plays which role in an item; nobody where it is no scenario, or its peer can play nothing."""
    name = params_of(item).get("cast_name", "")
    return parse_cast(name) if "=" in name else {}


def peers_of_cast(item: pytest.Item) -> tuple[str, ...]:
    """The peers of a scenario, each once; or the one that can play nothing."""
    return tuple(dict.fromkeys(cast_of(item).values())) or (params_of(item)["cast_name"],)


def why_no_role(asked: Asking) -> str:
    """Why the peer of an item plays nothing."""
    assert isinstance(asked.case, Scenario)
    return missing_roles(asked.case, asked.peer_name, asked.bench.manifests, []) or "nobody can play with it"
