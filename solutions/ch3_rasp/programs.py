"""The programs of the paper, in RASP (chapter 3). Source: Weiss et al. 2021, sections 4 and 5 and appendix B."""

from .language import aggregate, full_s, indicator, indices, length, select, selector_width, tokens, where
from .library import has_focus, sort
from .values import Atom

BOS = "§"  # beginning of sequence; also the symbol where a program has nothing to say


def reverse(seq):
    """The sequence from its end to its beginning: two layers of one head."""
    # solution
    flip = select(indices, length() - 1 - indices, "==")
    return aggregate(flip, seq)
    # end solution


def hist(seq, bos: bool = False):
    """How often each position's token occurs: one layer, two heads.

    With `bos`, position 0 holds a beginning-of-sequence token, which is not counted and gets 0; one head is enough.
    """
    # solution
    return selector_width(select(seq, seq, "=="), bos)
    # end solution


def double_hist(seq, bos: bool = False):
    """How many different tokens occur as often as this position's token does: two layers of 3 and 2 heads at most.

    Each token counts once, however often it occurs. `bos` as in hist; position 0 then gets 0, with 2 heads and 1.
    """
    # solution
    same = select(seq, seq, "==")
    often = selector_width(same, bos)
    repeat = has_focus(same & select(indices, indices, "<"))
    return selector_width(select(often, often, "==") & select(repeat, False, "=="), bos)
    # end solution


def most_freq(seq, fill: Atom = BOS):
    """The different tokens, the most frequent first, equally frequent ones by first appearance, then `fill`.

    Position 0 holds a beginning-of-sequence token, which stays there and is not counted. Three layers,
    of 2, 1 and 1 heads.
    """
    # solution
    often = selector_width(select(seq, seq, "=="), bos=True)
    repeat = selector_width(select(seq, seq, "==") & select(indices, indices, "<"), bos=True) > 0
    kept = where(repeat, fill, seq)
    return sort(kept, where(repeat, 1, -often), bos=True)
    # end solution


def dyck1_ptf(seq):
    """After each prefix: "T" if its brackets ( ) are balanced, "P" if they still can be, "F" if they never will.

    Other tokens are neutral. Two layers of one head.
    """
    # solution
    up_to = select(indices, indices, "<=")
    opened = aggregate(up_to, indicator(seq == "("))
    closed = aggregate(up_to, indicator(seq == ")"))
    balance = round((indices + 1) * opened) - round((indices + 1) * closed)
    broken = aggregate(up_to, indicator(balance < 0)) > 0
    return where(broken, "F", where(balance == 0, "T", "P"))
    # end solution


def shuffle_dyck(seq, pairs: list[str]):
    """Whether the brackets of each pair, taken alone, are balanced in the whole input: a bool, the same everywhere.

    Pairs are strings such as "()"; pairs may cross, and other tokens are neutral. Two layers.
    """
    # solution
    up_to = select(indices, indices, "<=")
    balances = [
        aggregate(up_to, indicator(seq == opening)) - aggregate(up_to, indicator(seq == closing))
        for opening, closing in pairs
    ]
    negative, level = balances[0] < 0, balances[0] == 0
    for balance in balances[1:]:
        negative, level = negative | (balance < 0), level & (balance == 0)
    ends_level = aggregate(select(indices, length() - 1, "=="), level)
    return ends_level & ~(aggregate(full_s, indicator(negative)) > 0)
    # end solution


def dyck_k_published(seq, pairs: list[str]):
    """Prefix verdicts P, T, F for several kinds of brackets, as published: wrong where there are neutral tokens."""
    opens = indicator(seq.isin([pair[0] for pair in pairs]))
    closes = indicator(seq.isin([pair[1] for pair in pairs]))
    up_to = select(indices, indices, "<=")
    depth = round((indices + 1) * aggregate(up_to, opens)) - round((indices + 1) * aggregate(up_to, closes))
    level = depth + closes  # a closing bracket lies on the level of the opening one that it closes
    same_level = select(level, level, "==")
    rank = selector_width(same_level & up_to)
    mate = aggregate(select(opens, True, "==") & same_level & select(rank, rank - 1, "=="), seq, "-")
    wrong = closes & ~(mate + seq).isin(pairs)
    broken = aggregate(up_to, indicator(wrong | (depth < 0))) > 0
    return where(broken, "F", where(depth == 0, "T", "P"))


def dyck_k(seq, pairs: list[str]):
    """After each prefix: "T" balanced, "P" can still become so, "F" broken, for brackets such as ["()", "{}"].

    Other tokens are neutral, wherever they occur. Four layers, of 1, 2, 1 and 1 heads.
    """
    opens = indicator(seq.isin([pair[0] for pair in pairs]))
    closes = indicator(seq.isin([pair[1] for pair in pairs]))
    up_to = select(indices, indices, "<=")
    depth = round((indices + 1) * aggregate(up_to, opens)) - round((indices + 1) * aggregate(up_to, closes))
    level = depth + closes
    same_level = select(level, level, "==")
    # solution
    rank = selector_width(same_level & up_to & select(opens + closes, 1, "=="))
    # end solution
    mate = aggregate(select(opens, True, "==") & same_level & select(rank, rank - 1, "=="), seq, "-")
    wrong = closes & ~(mate + seq).isin(pairs)
    broken = aggregate(up_to, indicator(wrong | (depth < 0))) > 0
    return where(broken, "F", where(depth == 0, "T", "P"))


def long_addition(seq=tokens):
    """The sum of two numbers such as "123+938", a digit a position, at the right end, zeros in front: five layers."""
    plus = aggregate(select(seq, "+", "=="), indices)
    digit = seq.lookup({**{str(number): number for number in range(10)}, "+": 0})
    right = where(indices > plus, digit, 0)
    left = aggregate(select(indices + (length() - plus), indices, "=="), digit, 0)
    total = left + right
    passes_on = total == 9  # a nine carries only if it is carried to
    stops = selector_width(select(passes_on, False, "==") & select(indices, indices, "<="))
    source = select(stops, stops + indicator(passes_on), "==") & select(passes_on, False, "==")
    carries = aggregate(source, indicator(total > 9), 0)
    return (total + aggregate(select(indices, indices + 1, "=="), carries, 0)) % 10
