"""Wrong answers to exercise 2.1 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong


def share(unigrams):
    return unigrams / unigrams.sum()


def by_rows(bigrams):
    """Rows divided by their sums, empty ones uniform."""
    totals = bigrams.sum(1, keepdim=True)
    return torch.where(totals > 0, bigrams / totals, 1 / len(bigrams))


@wrong("the columns of pi_b add up to 1: row i holds what follows token i, so each row is divided by its own sum")
def columns(unigrams, bigrams):
    return share(unigrams), by_rows(bigrams.T).T


@wrong("pi_b is transposed: row i is the token that comes first, column j the one that follows")
def transposed(unigrams, bigrams):
    return share(unigrams), by_rows(bigrams).T


@wrong("the sum of row i ends up under column i: keep the summed axis (keepdim=True) when dividing by row sums")
def no_keepdim(unigrams, bigrams):
    totals = bigrams.sum(1)
    return share(unigrams), torch.where(totals[:, None] > 0, bigrams / totals, 1 / len(bigrams))


@wrong("pi_b adds up to 1 as a whole: those are shares of pairs, but each row must add up to 1")
def joint(unigrams, bigrams):
    return share(unigrams), torch.where(bigrams.sum(1, keepdim=True) > 0, bigrams / bigrams.sum(), 1 / len(bigrams))


@wrong("each row of pi_b is divided by its unigram count, which need not be the number of pairs in that row")
def by_unigrams(unigrams, bigrams):
    table = torch.where(unigrams[:, None] > 0, bigrams / unigrams[:, None].clamp(min=1), 0.0)
    return share(unigrams), torch.where(bigrams.sum(1, keepdim=True) > 0, table, 1 / len(bigrams))


# the first four again as they are written first, before anyone has thought of empty rows


@wrong("the columns of pi_b add up to 1: row i holds what follows token i, so each row is divided by its own sum")
def columns_and_no_empty_rows(unigrams, bigrams):
    return share(unigrams), bigrams / bigrams.sum(0)


@wrong("the sum of row i ends up under column i: keep the summed axis (keepdim=True) when dividing by row sums")
def no_keepdim_and_no_empty_rows(unigrams, bigrams):
    return share(unigrams), bigrams / bigrams.sum(1)


@wrong("pi_b adds up to 1 as a whole: those are shares of pairs, but each row must add up to 1")
def joint_and_no_empty_rows(unigrams, bigrams):
    return share(unigrams), bigrams / bigrams.sum()


@wrong("each row of pi_b is divided by its unigram count, which need not be the number of pairs in that row")
def by_unigrams_and_no_empty_rows(unigrams, bigrams):
    return share(unigrams), bigrams / unigrams[:, None]


@wrong("// rounds every share down to a whole number: divide with /")
def integer_division(unigrams, bigrams):
    totals = bigrams.sum(1, keepdim=True)
    table = torch.where(totals > 0, bigrams // totals.clamp(min=1), torch.tensor(1 / len(bigrams)))
    return (unigrams // unigrams.sum()).float(), table.float()


@wrong("the table of probabilities was made like the counts, as whole numbers, which cuts every share down to 0")
def into_whole_numbers(unigrams, bigrams):
    pi_u, pi_b = torch.zeros_like(unigrams), torch.zeros_like(bigrams)
    pi_u[:], pi_b[:] = share(unigrams), by_rows(bigrams)
    return pi_u, pi_b


@wrong("an empty row becomes 0 / 0, which is nan: it must become uniform")
def nan_rows(unigrams, bigrams):
    return share(unigrams), bigrams / bigrams.sum(1, keepdim=True)


@wrong("an empty row stays at zero, where there is nothing to draw from: it must become uniform")
def zero_rows(unigrams, bigrams):
    return share(unigrams), bigrams / bigrams.sum(1, keepdim=True).clamp(min=1)


@wrong("an empty row is filled with the unigram shares: it must become uniform")
def unigram_rows(unigrams, bigrams):
    totals = bigrams.sum(1, keepdim=True)
    return share(unigrams), torch.where(totals > 0, bigrams / totals, share(unigrams))


@wrong("an empty row is filled with ones and not divided: 1/V everywhere is meant")
def rows_of_ones(unigrams, bigrams):
    totals = bigrams.sum(1, keepdim=True)
    return share(unigrams), torch.where(totals > 0, bigrams / totals, 1.0)


@wrong("an empty row leads back to its own token: it must become uniform")
def stays_where_it_is(unigrams, bigrams):
    totals = bigrams.sum(1, keepdim=True)
    return share(unigrams), torch.where(totals > 0, bigrams / totals, torch.eye(len(bigrams)))


@wrong("an empty row leaves out its own token: uniform means all V tokens alike")
def all_but_itself(unigrams, bigrams):
    V, totals = len(bigrams), bigrams.sum(1, keepdim=True)
    return share(unigrams), torch.where(totals > 0, bigrams / totals, (1 - torch.eye(V)) / (V - 1))


@wrong("a row is made uniform where the unigram count is 0: look at the sum of the row itself")
def judged_by_unigrams(unigrams, bigrams):
    totals = bigrams.sum(1, keepdim=True)
    return share(unigrams), torch.where(unigrams[:, None] > 0, bigrams / totals, 1 / len(bigrams))


@wrong("a row with a single count is made uniform: only a row without any is")
def single_counts(unigrams, bigrams):
    totals = bigrams.sum(1, keepdim=True)
    return share(unigrams), torch.where(totals > 1, bigrams / totals, 1 / len(bigrams))


@wrong("every count was raised by one, so that pairs never seen get a probability: only an empty row becomes uniform")
def add_one(unigrams, bigrams):
    return share(unigrams), by_rows(bigrams + 1)


@wrong("the zeros inside a row are filled up too: only a row that is empty throughout becomes uniform")
def fills_zeros(unigrams, bigrams):
    table = by_rows(bigrams)
    return share(unigrams), torch.where(table > 0, table, 1 / len(bigrams))


@wrong("softmax was taken of the counts: a share is a count divided by the sum of counts")
def softmax(unigrams, bigrams):
    return unigrams.double().softmax(0), bigrams.double().softmax(1)


@wrong("each row is divided by its largest count, so it does not add up to 1: divide by the sum")
def by_the_largest(unigrams, bigrams):
    largest = bigrams.max(1, keepdim=True).values
    return unigrams / unigrams.max(), torch.where(largest > 0, bigrams / largest, 1 / len(bigrams))


@wrong("each row is divided by its length (the Euclidean norm), so it does not add up to 1: divide by the sum")
def euclidean(unigrams, bigrams):
    table = F.normalize(bigrams.double(), dim=1)
    return share(unigrams), torch.where(bigrams.sum(1, keepdim=True) > 0, table, 1 / len(bigrams))


@wrong("pi_u was taken from the bigram table: it comes from the unigram counts")
def unigrams_from_bigrams(unigrams, bigrams):
    return bigrams.sum(1) / bigrams.sum(), by_rows(bigrams)


@wrong("pi_u still holds counts: divide them by their sum")
def unigrams_as_counts(unigrams, bigrams):
    return unigrams.double(), by_rows(bigrams)


@wrong("the logarithm was taken: the tables hold probabilities")
def logarithms(unigrams, bigrams):
    return share(unigrams).log(), by_rows(bigrams).log()


@wrong("the two tables come in the wrong order: pi_u first, then pi_b")
def swapped(unigrams, bigrams):
    return by_rows(bigrams), share(unigrams)


@wrong("only pi_b is returned: the result is the pair (pi_u, pi_b)")
def one_table(unigrams, bigrams):
    return by_rows(bigrams)


@wrong("the caller's counts are divided in place: make new tensors")
def in_place(unigrams, bigrams):
    if not bigrams.is_floating_point():
        return share(unigrams), by_rows(bigrams)
    unigrams /= unigrams.sum()
    bigrams /= bigrams.sum(1, keepdim=True)
    bigrams[bigrams.isnan()] = 1 / len(bigrams)
    return unigrams, bigrams


@wrong("/= writes into the whole-number counts, which torch refuses: divide into a new tensor")
def in_place_on_whole_numbers(unigrams, bigrams):
    unigrams /= unigrams.sum()
    bigrams /= bigrams.sum(1, keepdim=True)
    return unigrams, bigrams


@wrong("the empty rows of the caller's counts are filled with ones: do that in a copy")
def fills_the_callers_rows(unigrams, bigrams):
    bigrams[bigrams.sum(1) == 0] = 1
    return share(unigrams), bigrams / bigrams.sum(1, keepdim=True)


@wrong("half precision ends at 65504, below these counts: divide first")
def half_first(unigrams, bigrams):
    return share(unigrams.half()), by_rows(bigrams.half())


@wrong("the counts are cut down to whole numbers before they are divided: they may be 1.75 too")
def whole_numbers_only(unigrams, bigrams):
    return share(unigrams.long()), by_rows(bigrams.long())


@wrong("softmax was taken of the counts, and down the columns: a share is a count divided by the sum of its row")
def softmax_of_columns(unigrams, bigrams):
    return share(unigrams), bigrams.double().softmax(0)


@wrong("the counts are divided by their mean, so they add up to V: divide by their sum")
def by_the_mean(unigrams, bigrams):
    table = bigrams / bigrams.double().mean(1, keepdim=True)
    return unigrams / unigrams.double().mean(), torch.where(table.isnan(), 1 / len(bigrams), table)


@wrong("pi_u is the same for every token: it is each token's share of the unigram counts")
def uniform_unigrams(unigrams, bigrams):
    return torch.ones(len(unigrams)) / len(unigrams), by_rows(bigrams)


@wrong("1/V is added to every row: only an empty row becomes uniform")
def uniform_on_top(unigrams, bigrams):
    return share(unigrams), bigrams / bigrams.sum(1, keepdim=True).clamp(min=1) + 1 / len(bigrams)


@wrong("one empty row makes the whole table uniform: each row is judged alone")
def all_or_nothing(unigrams, bigrams):
    filled = bool((bigrams.sum(1) > 0).all())
    return share(unigrams), by_rows(bigrams if filled else torch.zeros_like(bigrams))


@wrong("only the first empty row is made uniform, a second one is not")
def first_empty_row(unigrams, bigrams):
    filled = bigrams.double()
    filled[(filled.sum(1) == 0).nonzero().flatten()[:1]] = 1
    return share(unigrams), filled / filled.sum(1, keepdim=True)


@wrong("a row counts as empty when its column is empty: look at what follows the token, along the row")
def empty_columns(unigrams, bigrams):
    return share(unigrams), torch.where(
        bigrams.sum(0)[:, None] > 0, bigrams / bigrams.sum(1, keepdim=True), 1 / len(bigrams)
    )


@wrong("the counts of a pair and of its reverse are added up: what follows a token is not what goes before it")
def both_directions(unigrams, bigrams):
    both = torch.where(bigrams.sum(1, keepdim=True) > 0, bigrams + bigrams.T, 0)
    return share(unigrams), by_rows(both)


@wrong("the shares are given in percent: they must add up to 1")
def percent(unigrams, bigrams):
    return 100 * share(unigrams), 100 * by_rows(bigrams)


@wrong("the diagonal is left out of the sum of a row: a token may follow itself")
def without_doubles(unigrams, bigrams):
    totals = (bigrams.sum(1) - bigrams.diagonal())[:, None]
    return share(unigrams), torch.where(bigrams.sum(1, keepdim=True) > 0, bigrams / totals, 1 / len(bigrams))


@wrong("a token that was never counted is given a probability in pi_u: only empty rows of pi_b are filled")
def lifts_unseen_unigrams(unigrams, bigrams):
    return share(unigrams.clamp(min=1)), by_rows(bigrams)


@wrong("the tables come as lists: return tensors")
def lists(unigrams, bigrams):
    return share(unigrams).tolist(), by_rows(bigrams).tolist()


@wrong("a row that adds up to less than 1 comes out wrong: only a row whose sum is 0 is a case apart")
def at_least_one(unigrams, bigrams):
    totals = bigrams.sum(1, keepdim=True)
    return unigrams / unigrams.sum(), torch.where(totals > 0, bigrams / totals.clamp(min=1), 1 / len(unigrams))


@wrong("a row that adds up to less than 1 comes out wrong: only a row whose sum is 0 is a case apart")
def at_least_one_count(unigrams, bigrams):
    totals = bigrams.sum(1, keepdim=True)
    return unigrams / unigrams.sum(), torch.where(totals >= 1, bigrams / totals, 1 / len(unigrams))


@right
def by_loop(unigrams, bigrams):
    pi_u = torch.tensor([count / unigrams.sum().item() for count in unigrams.tolist()])
    table = []
    for row in bigrams.tolist():
        table.append([count / sum(row) for count in row] if any(row) else [1 / len(row)] * len(row))
    return [pi_u, torch.tensor(table)]


@right
def fill_then_divide(unigrams, bigrams):
    filled = bigrams.clone().double()
    filled[filled.sum(1) == 0] = 1.0
    return unigrams.double() / unigrams.double().sum(), filled / filled.sum(1, keepdim=True)


@right
def by_a_tiny_count(unigrams, bigrams):
    lifted = bigrams.float() + 1e-8
    return F.normalize(unigrams.float(), p=1, dim=0), lifted / lifted.sum(-1)[:, None]


@right
def repairs_nan(unigrams, bigrams):
    table = (bigrams.T / bigrams.sum(1)).T
    return share(unigrams), table.nan_to_num(1 / bigrams.shape[1])


@right
def in_half_precision(unigrams, bigrams):
    return share(unigrams).bfloat16(), by_rows(bigrams).half()
