"""Simulated worlds in every order of arrival. SIMULATED_WORLDS says how many."""

import os
from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulator.ledger import Ledger
from tests.simulator.rule import Books, Count, Goods, Movement, Order, Origin, Stock, books
from tests.simulator.worlds import CUSTOMERS, DEPOT, OUTSIDE, UNLIMITED, USERS, VEHICLES, Odds, World, bag, world

pytestmark = pytest.mark.any_engine

WORLDS = int(os.environ.get("SIMULATED_WORLDS", "30"))
ORDERS = 6
ANYTHING = Odds(losses=True, miscounts=True, jumping_clocks=True)
EVERYWHERE = frozenset({OUTSIDE, DEPOT, *VEHICLES, *CUSTOMERS, *map(bag, USERS)})


def orders(of: World, seed: int) -> Iterable[list[Movement | Count]]:
    """As it happened, backwards, and in any order."""
    chance, records = Random(seed), sorted(of.records, key=lambda record: of.happened[record.name])
    yield [*records]
    yield records[::-1]
    for _ in range(ORDERS - 2):
        yield chance.sample(records, len(records))


def told(records: Iterable[Movement | Count], unlimited: Iterable[str] = UNLIMITED) -> Ledger:
    ledger = Ledger(unlimited)
    for record in records:
        ledger.receive(record)
    return ledger


def inside(balances: Iterable[tuple[Stock, int]]) -> dict[Stock, int]:
    return {stock: quantity for stock, quantity in balances if quantity and stock[0] != OUTSIDE}


def counted_last(of: World) -> list[Count]:
    """All that there is in truth, found at the end."""
    end = max([*of.happened.values(), *(record.at for record in of.records)]) + 100
    found: dict[str, dict[str, int]] = {place: {} for place in EVERYWHERE - {OUTSIDE}}
    for (place, item), quantity in of.there.items():
        if place != OUTSIDE:
            found[place][item] = quantity
    return [Count(f"last of {place}", end, place, items) for place, items in found.items()]


@pytest.mark.parametrize("seed", range(WORLDS))
def test_the_rows_add_up_to_what_the_rule_says_in_any_order_of_arrival(seed: int) -> None:
    one = world(seed, ANYTHING)
    expected = books(one.movements, one.counts)
    for arrivals in orders(one, seed):
        assert told(arrivals, EVERYWHERE).books() == expected


@pytest.mark.parametrize("seed", range(WORLDS))
def test_so_do_they_while_some_of_it_waits(seed: int) -> None:
    one = world(seed, ANYTHING)
    for arrivals in orders(one, seed):
        ledger = Ledger(UNLIMITED)
        for record in arrivals:
            ledger.receive(record)
            assert ledger.books() == books(ledger.movements, ledger.order.counts)


@pytest.mark.parametrize("seed", range(WORLDS))
def test_books_of_honest_people_with_clocks_that_can_be_corrected_end_true(seed: int) -> None:
    one = world(seed, Odds())
    said = books(one.movements, one.counts)
    assert (inside(said.balances.items()), said.adjustments) == (inside(one.there.items()), {})
    for arrivals in orders(one, seed):
        ledger = told(arrivals)
        if not ledger.waiting:
            assert ledger.books() == said


@pytest.mark.parametrize("odds", [Odds(), ANYTHING], ids=["honest", "anything"])
@pytest.mark.parametrize("seed", range(WORLDS))
def test_after_a_last_count_nothing_waits_and_the_books_are_true(seed: int, odds: Odds) -> None:
    """Whatever was lost, miscounted or timed wrongly before, once somebody has decided about what the books didn't have."""
    one = world(seed, odds)
    for arrivals in orders(one, seed):
        ledger = told([*arrivals, *counted_last(one)])
        ledger.decide()
        assert ledger.waiting == []
        assert inside(ledger.books().balances.items()) == inside(one.there.items())


@pytest.mark.parametrize("seed", range(WORLDS))
def test_wrong_clocks_cost_what_stands_on_the_wrong_side_of_the_last_count(seed: int) -> None:
    one = world(seed, Odds(jumping_clocks=True))
    order = Order(one.counts)
    said = books(one.movements, one.counts).balances
    for stock, there in one.there.items():
        if not (counts := order.of_stock(stock)):
            assert said.get(stock, 0) == there
            continue
        last = counts[-1]
        changes: list[tuple[Movement | Count, int]] = [
            (movement, movement.ends.get(stock, 0)) for movement in one.movements
        ]
        changes += [(count, count.left_of(stock) - count.found_of(stock)) for count in counts]  # a hand-in takes away
        wrong = sum(
            quantity * ((order.of(what) > order.of(last)) - (one.happened[what.name] > one.happened[last.name]))
            for what, quantity in changes
        )
        assert said.get(stock, 0) - there == wrong


def test_the_worlds_have_in_them_what_the_rule_is_about() -> None:
    """Movements that move behind a count, counts that do, things undone both ways, clocks that cost something."""
    moved = moved_counts = untrue = waiting = 0
    undone = set()
    for seed in range(60):
        one = world(seed, ANYTHING)
        order = Order(one.counts)
        moved += sum(order.of(movement) > movement.at and movement.undoes is None for movement in one.movements)
        moved_counts += sum(order.of(count) > count.at for count in one.counts)
        undone |= {movement.goods for movement in one.movements}
        honest = world(seed, Odds(jumping_clocks=True))
        untrue += inside(books(honest.movements, honest.counts).balances.items()) != inside(honest.there.items())
        waiting += bool(told(one.records[::-1]).waiting)
    assert undone == {None, *Goods}
    assert min(moved, moved_counts, untrue, waiting) >= 10


# Small worlds of any kind: few moments, few numbers, so that much is equal.

origins = st.one_of(
    st.just(Origin()), st.builds(Origin, st.just("a"), st.sampled_from(["ahmad", "siti"]), st.integers(1, 6))
)
moments = st.integers(1, 8)
places = st.sampled_from(["van", "depot", "bag"])


@st.composite
def small_worlds(draw: st.DrawFn) -> list[Movement | Count]:
    movements: list[Movement] = []
    for number in range(draw(st.integers(1, 6))):
        source, target = draw(st.permutations(["van", "depot", "bag"]))[:2]
        pieces = draw(st.integers(1, 3))
        ends = {(source, "full"): -pieces, (target, "full"): pieces}
        movements.append(Movement(f"movement {number}", draw(moments), ends, draw(origins)))
    for original in draw(st.lists(st.sampled_from(movements), unique=True, max_size=2)):
        ends = {stock: -quantity for stock, quantity in original.ends.items()}
        goods = draw(st.sampled_from(Goods))
        movements.append(Movement(f"void of {original.name}", draw(moments), ends, draw(origins), original, goods))
    counts = [
        Count(
            f"count {number}", draw(moments), place := draw(places), {"full": draw(st.integers(0, 4))},
            is_whole=draw(st.booleans()), takes_all=place == "bag", origin=draw(origins),
        )
        for number in range(draw(st.integers(0, 5)))
    ]  # fmt: skip
    return draw(st.permutations([*movements, *counts]))


def said_of(records: Iterable[Movement | Count]) -> Books:
    known = sorted(records, key=lambda record: record.name)
    return books(
        [record for record in known if isinstance(record, Movement)],
        [record for record in known if isinstance(record, Count)],
    )


@settings(max_examples=400, deadline=None)
@given(small_worlds())
def test_small_worlds_too_add_up_in_any_order(records: list[Movement | Count]) -> None:
    assert told(records, {"van", "depot", "bag"}).books() == said_of(records)


@settings(max_examples=400, deadline=None)
@given(small_worlds())
def test_small_worlds_too_add_up_while_some_of_it_waits(records: list[Movement | Count]) -> None:
    ledger = told(records, {"bag"})
    assert ledger.books() == said_of([*ledger.movements, *ledger.order.counts])
    assert {stock for stock, quantity in ledger.books().balances.items() if quantity < 0 and stock[0] != "bag"} == set()
