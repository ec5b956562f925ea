"""Wrong answers to exercise 3.14 that learners write, and right ones written differently."""

from utils.grade import slips

slip = slips("""
def most_freq(seq, fill="§"):
    same = select(seq, seq, "==")
    often = selector_width(same, True)
    repeat = selector_width(same & select(indices, indices, "<"), True) > 0
    kept = where(repeat, fill, seq)
    return sort(kept, where(repeat, 1, -often), True)
""")

Rising = slip("the rarest tokens come first: sort by the negative count", "-often", "often - 1000")
RepeatsKept = slip(
    "repeats keep their count, so that they come among the first occurrences: send them to the end",
    "where(repeat, 1, -often)",
    "-often",
)
RepeatsShown = slip(
    "repeats are shown at the end: put fill in their place", "kept = where(repeat, fill, seq)", "kept = seq"
)
EveryOccurrence = slip(
    "every occurrence is listed: show the first of each token alone, and fill for the rest, behind all of them",
    "kept = where(repeat, fill, seq)",
    "kept = seq",
    "where(repeat, 1, -often)",
    "-often",
)
RepeatsFirst = slip(
    "repeats are sent to the front: their key must be above every other",
    "where(repeat, 1, -often)",
    "where(repeat, -1000, -often)",
)
RepeatsLikeSingles = slip(
    "repeats get a key that tokens have, too, so that they stand among them: it must be above every other",
    "where(repeat, 1, -often)",
    "where(repeat, -1, -often)",
)
LastAppearance = slip(
    "the last occurrence of each token is kept, so ties go by last appearance: keep the first", '"<"', '">"'
)
FillIgnored = slip("the argument fill is not used", "where(repeat, fill, seq)", 'where(repeat, "§", seq)')
NoBos = slip("BOS is sorted among the tokens: hand bos=True to sort", "-often), True)", "-often))")
ByToken = slip(
    "ties go by the order of the alphabet: sort is stable, so leave them to it",
    "where(repeat, 1, -often)",
    "where(repeat, 1, -often + seq.map(ord) / 1e7)",
)
TwoHeads = slip(
    "the values are right, but a width without bos takes two heads: BOS is there, use it",
    'selector_width(same & select(indices, indices, "<"), True) > 0',
    'selector_width(same & select(indices, indices, "<")) > 0',
)
OfTokens = slip(
    "the argument seq is not used: rank the values of the sequence that is given",
    'def most_freq(seq, fill="§"):',
    'def most_freq(seq, fill="§"):\n    seq = tokens',
)
ByFocus = slips("""
def most_freq(seq, fill="§"):
    often = hist(seq, True)
    seen = has_focus(select(seq, seq, "==") & select(indices, indices, "<"))
    return sort(where(seen, fill, seq), where(seen, 0.5, 0 - often), bos=True)
""")
ByHand = slips("""
def most_freq(seq, fill="§"):
    often = selector_width(select(seq, seq, "=="), True)
    seen = aggregate(select(seq, seq, "==") & select(indices, indices, "<"), 1) == 1
    score = where(seen, -1, often)
    ahead = select(score, score, ">") | (select(score, score, "==") & select(indices, indices, "<"))
    place = where(indices == 0, 0, selector_width(ahead, True) + 1)
    return aggregate(select(place, indices, "=="), where(seen, fill, seq))
""")
