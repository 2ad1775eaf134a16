"""Simulated worlds: what happened in truth, what reached the office, and what the books have to say. Nothing of the
project is imported. `worlds` lets things happen, `phones` gives them their times, `rule` says in closed form what the
books are, `ledger` keeps them row by row as a server does, in whatever order things arrive.

The rule
--------
1.  Every operation has a place in time, ``position``, in microseconds:
        of a count:     max(its corrected time, position + 1 µs of each signed count that its device and user recorded before)
        of a movement:  the same; at equal positions movements come before counts
        of what undoes: what never left, the position of the original itself, whatever the time, device or number of
                        the undoing; what came back, the rule for movements, but never before the original
    "Recorded before" is told by the numbers of one device and user. One column of time keeps all of it: no link to the
    count is needed, and 1 µs is "directly after". Two counts of one instant are told apart by device, number, name; how
    two movements of one instant are told apart never matters, for nothing is compared between them.
2.  After a count a balance is what was left there: what was found, and nothing after a hand-in of cash.
        adjustment(count i) = found(i) − left(i − 1) − all that is positioned after count i − 1 and not after count i
        balance             = left(last count) + all that is positioned after it
    A whole count covers all that can be there, also what nobody named and what the books had never heard of: found 0.

Positions depend on the set of signed counts alone, and the books on positions alone: so no order of arrival matters.

A server gets there row by row: a movement that arrives is compensated against the first count after it, at each end
that was counted. A count that is signed writes its difference and charges the opposite of its whole effect to the next
count; the compensations that are there stay where they are. Cash: its effect is the difference less what was taken.

What was found in simulating it
-------------------------------
- *The count is signed after a movement numbered above it arrived* is the usual case, not the rare one. The movement
  moves behind the count then, past whatever other counts lie between, at **both** of its ends.
- *Moving is more than moving the compensation.* A movement that was in the books when a count between was signed has no
  compensation; it was part of that count's difference. It has to be given back all the same: the opposite of its
  compensation is charged to the count that is **now** the first after its old position, which needn't be the one that
  it was compensated against (another may have been signed between since).
- A movement's own position isn't all that moves: so does the undoing of what never left (with its original), what came
  back (if it would come before its original), and **signed counts** of that device and user numbered above. A count moves
  by being taken out (all that was charged to it falls to the next) and put in again; several: out from the last, in from
  the first.
- What never left follows the original even if the undoing is numbered above a signed count: else the count between
  couldn't explain it. This opens no door: it makes the shortage of that count larger.
- *When to try again.* "After a commit that adds to the balance" isn't enough: what would have added may come
  compensated, and adds to the books of the count's moment then. So: also after every arrival there, after every
  sign-off that covers a balance it lacks, and after what it refers to was accepted.
- *What was found is no proof of what left before.* If a count let in whatever is dated before it, anybody could date a
  sale of any size there. The books of that moment have to have had it; else it waits for what brought it, or for
  somebody who decides. That can't be left to the count: an honest one looks the same. Of what was there before the
  first stock-take of a balance, with nothing known to have come before, the books say nothing: it opens them.
- *Waiting in circles.* Goods that go round (sold and brought back; a phantom sale that lets the truck fall short, whose
  undoing is short at the customer because the real sales to him wait for the truck) can wait for each other for ever,
  if each is tried alone: in 3 % of the runs of honest worlds. After the next count of the place somebody can let them in.
- *A true count may have to wait* (load not arrived, sales from it accepted already): signing it would make the balance
  negative. It isn't wrong, and isn't to be counted again: what adds is on its way. It stays open and is tried again.
- Signing in the order of moments isn't needed for the books, only for whoever reads the differences.
- With wrong clocks the books are wrong by exactly what stands on the wrong side of the last count of a place, until the
  next count, and by nothing else. Numbers put right what one device recorded after its own count. The opposite, numbered
  below a count but timed after it, is left after it by the rule, and is as certain.
"""
