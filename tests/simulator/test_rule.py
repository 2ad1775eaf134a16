"""The rule by examples: one balance, one reason each."""

import pytest

from tests.simulator.ledger import Ledger
from tests.simulator.rule import TICK, Count, Goods, Movement, Order, Origin, books

pytestmark = pytest.mark.any_engine

VAN, DEPOT, HAWKER = ("van", "full"), ("depot", "full"), ("hawker", "full")
Record = Movement | Count
LOAD = Movement("load", 100, {("outside", "full"): -20, VAN: 20})


def sale(at: int, *, name: str = "sale", pieces: int = 2, number: int = 0, device: str = "phone") -> Movement:
    return Movement(name, at, {VAN: -pieces, HAWKER: pieces}, Origin(device, "ahmad", number) if number else Origin())


def count(at: int, found: int, *, name: str = "count", number: int = 0, device: str = "phone") -> Count:
    return Count(name, at, "van", {"full": found}, origin=Origin(device, "ahmad", number) if number else Origin())


def told(*records: Record) -> Ledger:
    """A ledger that was told these in this order; what its rows add up to is what the rule says."""
    ledger = Ledger(unlimited={"outside", "bag"})
    for record in records:
        ledger.receive(record)
    assert ledger.books() == books(ledger.movements, ledger.order.counts)
    return ledger


def adjustment(ledger: Ledger, name: str) -> int:
    return ledger.books().adjustments.get((name, VAN), 0)


def test_what_was_counted_already_changes_the_count_and_not_the_balance() -> None:
    ledger = told(LOAD, count(300, 18))
    assert (ledger.balance(VAN), adjustment(ledger, "count")) == (18, -2)
    ledger.receive(sale(200))
    assert (ledger.balance(VAN), adjustment(ledger, "count")) == (18, 0)


def test_what_happens_at_the_moment_of_a_count_was_counted() -> None:
    ledger = told(LOAD, count(300, 18), sale(300))
    assert (ledger.balance(VAN), adjustment(ledger, "count")) == (18, 0)


def test_what_happened_after_a_count_is_taken_from_it() -> None:
    assert told(LOAD, count(300, 20), sale(301)).balance(VAN) == 18


def test_an_earlier_count_that_is_signed_later_is_charged_to_the_later_one() -> None:
    ledger = told(LOAD, count(300, 17, name="evening"), count(200, 18, name="noon"))
    assert ledger.balance(VAN) == 17
    assert (adjustment(ledger, "noon"), adjustment(ledger, "evening")) == (-2, -1)


def test_a_movement_is_compensated_against_the_first_count_after_it_alone() -> None:
    ledger = told(LOAD, count(300, 18, name="noon"), count(400, 18, name="evening"), sale(200))
    assert (ledger.balance(VAN), adjustment(ledger, "noon"), adjustment(ledger, "evening")) == (18, 0, 0)


def test_a_whole_count_covers_what_nobody_named_and_nothing_was_known_of() -> None:
    ledger = told(count(300, 0), LOAD)
    assert (ledger.balance(VAN), adjustment(ledger, "count")) == (0, -20)
    ledger = told(Count("count", 300, "van", {}), LOAD)
    assert (ledger.balance(VAN), adjustment(ledger, "count")) == (0, -20)


def test_a_stock_take_covers_what_it_names() -> None:
    named = Count("count", 300, "van", {"empty": 3}, is_whole=False)
    assert told(named, LOAD).balance(VAN) == 20


def test_both_ends_are_compensated_if_both_were_counted() -> None:
    at_the_hawker = Count("his", 300, "hawker", {"full": 2}, is_whole=False)
    ledger = told(LOAD, count(300, 18), at_the_hawker, sale(200))
    assert (ledger.balance(VAN), ledger.balance(HAWKER)) == (18, 2)
    assert ledger.books().adjustments == {}


# The device's own numbers.


def test_what_a_device_recorded_after_its_count_does_not_explain_it_whatever_its_time_says() -> None:
    late = sale(200, number=6)
    orders: list[list[Record]] = [[count(300, 18, number=5), late], [late, count(300, 18, number=5)]]
    for arrivals in orders:
        ledger = told(LOAD, *arrivals)
        assert (ledger.balance(VAN), adjustment(ledger, "count")) == (16, -2)


@pytest.mark.parametrize("device", ["another phone", "phone"])
def test_numbers_of_another_device_or_user_say_nothing(device: str) -> None:
    user = "ahmad" if device == "another phone" else "siti"
    other = Movement("sale", 200, {VAN: -2, HAWKER: 2}, Origin(device, user, 6))
    assert told(LOAD, count(300, 18, number=5), other).balance(VAN) == 18


@pytest.mark.parametrize("known_before", [True, False])
def test_with_another_count_between_it_moves_past_both(known_before: bool) -> None:
    """Known before the other count was signed, it was in that one's difference, and has no compensation to move."""
    late, other = sale(200, number=6), count(250, 18, name="other", number=1, device="another phone")
    own = count(300, 18, number=5)
    arrivals: list[Record] = [late, other] if known_before else [other, late]
    ledger = told(LOAD, *arrivals, own)
    assert ledger.balance(VAN) == 16
    assert (adjustment(ledger, "other"), adjustment(ledger, "count")) == (-2, 0)


def test_it_is_given_back_to_the_count_that_is_the_first_after_it_now() -> None:
    """It was compensated against the second one; the first was signed since."""
    late, second = sale(200, number=6), count(260, 18, name="second")
    first, own = count(240, 18, name="first"), count(300, 18, number=5)
    ledger = told(LOAD, second, late, first, own)
    assert (adjustment(ledger, "first"), adjustment(ledger, "second"), adjustment(ledger, "count")) == (-2, 0, 0)


def test_it_moves_at_both_ends() -> None:
    at_the_hawker = Count("his", 250, "hawker", {"full": 0}, is_whole=False)
    ledger = told(LOAD, sale(200, number=6), at_the_hawker, count(300, 20, number=5))
    assert ledger.balance(HAWKER) == 2
    assert ledger.books().adjustments == {}


def test_a_count_of_the_same_device_moves_as_well() -> None:
    """The clock was set back between the two: the last one counted is the one with the higher number."""
    first, second = count(300, 20, name="first", number=5), count(200, 18, name="second", number=8)
    between, after = sale(400, name="between", number=0), sale(150, name="after", number=9)
    for arrivals in ([first, second], [second, first]):
        ledger = told(LOAD, *arrivals, after, between)
        assert [each.name for each in ledger.order.counts] == ["first", "second"]
        assert ledger.order.of(after) == 300 + 2 * TICK
        assert ledger.balance(VAN) == 14


def test_a_count_that_moves_is_compared_with_the_books_where_it_is_now() -> None:
    """Another one sold between the time that it said and where it belongs."""
    first, second = count(300, 18, name="first", number=5), count(200, 18, name="second", number=8)
    for arrivals in ([first, second], [second, first]):
        ledger = told(LOAD, sale(250, name="other"), *arrivals)
        assert (ledger.balance(VAN), ledger.books().adjustments) == (18, {})


def test_counts_that_move_together_stay_in_their_order() -> None:
    first, second = count(400, 16, name="first", number=5), count(200, 15, name="second", number=6)
    third, others = count(100, 14, name="third", number=7), [sale(150, name="a"), sale(300, name="b")]
    between = count(120, 20, name="between", device="another phone")
    ledger = told(LOAD, between, third, second, *others, first)
    assert [adjustment(ledger, name) for name in ("between", "first", "second", "third")] == [0, 0, -1, -1]


def test_of_a_number_that_came_twice_neither_is_the_later_one() -> None:
    assert Order([count(300, 18, number=5)]).of(sale(200, number=5)) == 200


def test_counts_of_one_moment_are_told_apart_by_what_does_not_depend_on_arrival() -> None:
    by_device = [count(300, 18, name="b", device="one", number=9), count(300, 17, name="a", device="two", number=1)]
    by_name = [count(300, 18, name="a"), count(300, 17, name="b")]
    for first, second in (by_device, by_name):
        assert told(LOAD, first, second).balance(VAN) == told(LOAD, second, first).balance(VAN) == 17


def test_a_push_of_a_fast_clock_keeps_the_order_of_its_numbers() -> None:
    """All of it would be in the future, and gets the time of its receipt."""
    first, second = count(300, 18, name="first", number=5), count(300, 16, name="second", number=7)
    records = [sale(300, name="a", number=4), sale(300, name="b", number=6), sale(300, name="c", number=8)]
    orders: list[list[Record]] = [[first, second, *records], [*records, second, first]]
    for arrivals in orders:
        ledger = told(LOAD, *arrivals)
        assert (ledger.balance(VAN), ledger.books().adjustments) == (14, {})


def test_a_number_below_a_count_leaves_the_time_as_it_is() -> None:
    assert Order([count(300, 18, number=5)]).of(sale(400, number=4)) == 400


# What is undone.


def undoing(original: Movement, goods: Goods, at: int, origin: Origin | None = None) -> Movement:
    ends = {stock: -quantity for stock, quantity in original.ends.items()}
    return Movement("void", at, ends, origin or Origin(), original, goods)


def test_a_count_between_explains_what_never_left() -> None:
    """2 sold by mistake, 20 counted and signed, then the sale is voided."""
    mistake = sale(200)
    ledger = told(LOAD, mistake, count(300, 20), undoing(mistake, Goods.NEVER_LEFT, 400))
    assert (ledger.balance(VAN), adjustment(ledger, "count")) == (20, 0)


def test_what_never_left_is_undone_there_also_by_the_device_that_counted() -> None:
    mistake = sale(200, number=4)
    void = undoing(mistake, Goods.NEVER_LEFT, 400, Origin("phone", "ahmad", 6))
    assert told(LOAD, mistake, count(300, 20, number=5), void).balance(VAN) == 20


def test_what_never_left_moves_with_its_original() -> None:
    mistake = sale(200, number=6)
    void = undoing(mistake, Goods.NEVER_LEFT, 400)
    ledger = told(LOAD, mistake, void, count(300, 20, number=5))
    assert ledger.order.of(void) == ledger.order.of(mistake) == 300 + TICK
    assert (ledger.balance(VAN), ledger.books().adjustments) == (20, {})


def test_what_came_back_does_so_at_its_own_moment() -> None:
    sold = sale(200)
    ledger = told(LOAD, sold, count(300, 18), undoing(sold, Goods.CAME_BACK, 400))
    assert (ledger.balance(VAN), adjustment(ledger, "count")) == (20, 0)


def test_nothing_comes_back_before_it_left() -> None:
    sold = sale(200, number=6)
    void = undoing(sold, Goods.CAME_BACK, 250)
    ledger = told(LOAD, sold, void, count(300, 20, number=5))
    assert (ledger.balance(VAN), ledger.books().adjustments) == (20, {})


def test_an_undoing_waits_for_what_it_undoes() -> None:
    sold = sale(200)
    ledger = told(LOAD, undoing(sold, Goods.CAME_BACK, 400))
    assert [each.name for each in ledger.waiting] == ["void"]
    ledger.receive(sold)
    assert (ledger.waiting, ledger.balance(VAN)) == ([], 20)


# What waits.


def test_what_is_short_waits_until_there_is_enough() -> None:
    ledger = told(sale(200))
    assert (ledger.rows, len(ledger.waiting)) == ([], 1)
    ledger.receive(LOAD)
    assert (ledger.waiting, ledger.balance(VAN)) == ([], 18)


def test_what_the_books_did_not_have_when_it_was_counted_waits_for_what_brought_it() -> None:
    """20 found are no proof that 22 were there before."""
    orders: list[list[Record]] = [[count(300, 20), sale(200)], [sale(200), count(300, 20)]]
    for arrivals in orders:
        ledger = told(*arrivals)
        assert (len(ledger.waiting), ledger.balance(VAN), adjustment(ledger, "count")) == (1, 20, 20)
        ledger.receive(LOAD)
        assert (ledger.waiting, ledger.balance(VAN), adjustment(ledger, "count")) == ([], 20, 2)


def test_what_comes_after_the_count_does_not_let_it_in() -> None:
    later = Movement("later", 400, LOAD.ends)
    ledger = told(count(300, 0), sale(200), later)
    assert (len(ledger.waiting), ledger.balance(VAN)) == (1, 20)


def test_before_the_books_began_they_say_nothing() -> None:
    opening = Count("opening", 300, "van", {"full": 18}, is_whole=False)
    ledger = told(opening, sale(200), sale(210, name="another"))
    assert (ledger.waiting, ledger.balance(VAN), adjustment(ledger, "opening")) == ([], 18, 22)
    ledger = told(opening, Count("next", 400, "van", {"full": 18}, is_whole=False), sale(350, pieces=19))
    assert len(ledger.waiting) == 1, "there were 18"


def test_somebody_may_decide_that_it_happened_since_it_was_counted() -> None:
    ledger = told(count(300, 0), sale(200))
    ledger.decide()
    assert (ledger.waiting, ledger.balance(VAN), adjustment(ledger, "count")) == ([], 0, 2)
    ledger = told(sale(200))
    ledger.decide()
    assert len(ledger.waiting) == 1, "nothing was counted since"


def test_a_true_count_waits_for_the_load_that_a_later_sale_was_from() -> None:
    """8 of 10 were sold and aren't known yet; 10 more came after the count, and 8 of all were sold then."""
    first = Movement("first", 100, {("outside", "full"): -10, VAN: 10})
    more = Movement("more", 400, {("outside", "full"): -10, VAN: 10})
    true = count(300, 2)
    ledger = told(first, sale(500, name="later", pieces=8), true)
    assert ledger.waiting == [true]
    ledger.receive(more)
    assert (ledger.waiting, ledger.balance(VAN), adjustment(ledger, "count")) == ([], 4, -8)
    ledger.receive(sale(200, pieces=8))
    assert (ledger.balance(VAN), adjustment(ledger, "count")) == (4, 0)


def test_what_waits_in_a_circle_is_decided_after_the_next_count() -> None:
    """Sold, brought back and sold again; the last came first. Alone, neither of the others has what it needs."""
    load = Movement("load", 100, {("outside", "full"): -5, VAN: 5})
    out, back = sale(200, name="out", pieces=5), Movement("back", 300, {VAN: 5, HAWKER: -5})
    again = Movement("again", 400, {VAN: -5, ("hotel", "full"): 5})
    ledger = told(load, again, out, back)
    assert ledger.waiting == [out, back]
    ledger.receive(count(500, 0))
    assert ledger.waiting == [out, back]
    ledger.decide()
    assert (ledger.waiting, ledger.books().adjustments) == ([], {})


# Cash.

BAG = ("bag", "cents")


def cash(at: int, cents: int, *, name: str = "cash", number: int = 0) -> Movement:
    origin = Origin("phone", "ahmad", number) if number else Origin()
    return Movement(name, at, {BAG: cents, ("outside", "cents"): -cents}, origin)


def hand_in(at: int, cents: int, *, name: str = "hand-in", number: int = 0) -> Count:
    origin = Origin("phone", "ahmad", number) if number else Origin()
    return Count(name, at, "bag", {"cents": cents}, takes_all=True, origin=origin)


def missing(ledger: Ledger, name: str = "hand-in") -> int:
    return -ledger.books().adjustments.get((name, BAG), 0)


def test_cash_that_arrives_after_its_hand_in_explains_it_and_enters_no_later_bag() -> None:
    ledger = told(cash(100, 5000, name="first"), hand_in(300, 8000))
    assert (ledger.balance(BAG), missing(ledger)) == (0, -3000)
    ledger.receive(cash(200, 3000))
    assert (ledger.balance(BAG), missing(ledger)) == (0, 0)


def test_an_earlier_hand_in_that_is_signed_later_takes_from_the_later_bag() -> None:
    ledger = told(
        cash(100, 5000, name="a"), cash(300, 3000, name="b"), hand_in(400, 3000, name="second"), hand_in(200, 5000)
    )
    assert (ledger.balance(BAG), missing(ledger), missing(ledger, "second")) == (0, 0, 0)


def test_cash_taken_after_a_hand_in_by_the_number_is_of_the_next_bag() -> None:
    counted, taken = hand_in(300, 0, number=5), cash(200, 3000, number=6)
    for ledger in (told(counted, taken), told(taken, counted)):
        assert (ledger.balance(BAG), missing(ledger)) == (3000, 0)


def test_cash_that_was_never_taken_is_corrected_in_its_own_bag() -> None:
    mistake = cash(100, 5000, name="mistake")
    ledger = told(mistake, hand_in(200, 0), cash(300, 11772))
    assert missing(ledger) == 5000
    ledger.receive(undoing(mistake, Goods.NEVER_LEFT, 400))
    assert (ledger.balance(BAG), missing(ledger)) == (11772, 0)


def test_money_that_is_paid_back_comes_out_of_the_bag_of_whoever_pays_when_he_does() -> None:
    ledger = told(
        cash(100, 5000), hand_in(200, 5000), cash(300, 11772, name="next"), cash(400, -5000, name="paid back")
    )
    assert (ledger.balance(BAG), missing(ledger)) == (6772, 0)
