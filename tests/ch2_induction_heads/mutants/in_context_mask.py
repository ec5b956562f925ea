"""Wrong answers to exercise 2.5 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


@wrong("the first occurrence is let in too: its output cannot be known, only from the second on has it been seen")
def from_the_first(counts):
    return counts >= 1


@wrong("the second occurrence is left out: there the output has been seen once, which is enough")
def from_the_third(counts):
    return counts > 2


@wrong("only the second occurrence is let in: every later one is predictable as well")
def only_the_second(counts):
    return counts == 2


@wrong("only the first occurrence is let in, the very one that cannot be predicted")
def only_the_first(counts):
    return counts == 1


@wrong("the mask is upside down: it is true where the output can be read off the context")
def upside_down(counts):
    return counts < 2


@wrong("everything but the first occurrence is let in, so positions without a trigger too")
def all_but_first(counts):
    return counts != 1


@wrong("the positions without a trigger are let in")
def no_trigger(counts):
    return counts == 0


@wrong("the mask holds numbers: it must be a bool tensor")
def numbers(counts):
    return (counts >= 2).float()


@wrong("the mask holds whole numbers: it must be a bool tensor")
def whole_numbers(counts):
    return (counts >= 2).long()


@wrong("the places where the mask is true are returned: return the mask itself, of the shape of counts")
def places(counts):
    return (counts >= 2).nonzero()


@wrong("the counts that pass are returned: return the mask itself, of the shape of counts")
def chosen_counts(counts):
    return counts[counts >= 2]


@wrong("counts that do not pass are set to zero: the mask itself is wanted, true or false")
def kept_counts(counts):
    return counts * (counts >= 2)


@wrong("one value for each row is returned: the mask has one for each position")
def one_for_each_row(counts):
    return (counts >= 2).any(-1)


@wrong("one value for the whole batch is returned: the mask has one for each position")
def one_for_all(counts):
    return bool((counts >= 2).any())


@wrong("the mask is shifted by one: it belongs to the trigger's own position")
def shifted(counts):
    return counts.roll(1, -1) >= 2


@wrong("the mask is shifted by one: it belongs to the trigger's own position")
def shifted_in(counts):
    return torch.cat([torch.zeros_like(counts[..., :1]), counts[..., :-1]], -1) >= 2


@wrong("from the second occurrence on everything is let in: look at the count of each position alone")
def from_there_on(counts):
    return (counts >= 2).cumsum(-1) >= 1


@wrong("the first row's mask is used for all rows")
def first_row(counts):
    return (counts[:1] >= 2).expand_as(counts).clone()


@wrong("the mask is a list: return a tensor")
def as_list(counts):
    return (counts >= 2).tolist()


@wrong("the counts are overwritten: make a new tensor")
def in_place(counts):
    counts -= 1
    return counts > 0


@wrong("in a batch where nothing was seen before the mask comes out true: it is false everywhere then")
def never_empty(counts):
    mask = counts >= 2
    return mask if mask.any() else ~mask


@wrong("even and odd counts are told apart (& looks at the bits): compare with 2")
def bits(counts):
    return (counts & 2) > 0


@wrong("a count is let in when it is above the mean: compare it with 2")
def above_the_mean(counts):
    return counts > counts.double().mean()


@wrong("only the largest count of each row is let in: compare each with 2")
def last_occurrence(counts):
    return (counts == counts.max(-1, keepdim=True).values) & (counts >= 2)


@wrong("`and` and `if` take one truth value, a tensor has many: compare the whole tensor at once")
def one_truth_value(counts):
    return torch.ones_like(counts).bool() if counts >= 2 else torch.zeros_like(counts).bool()


@wrong("nothing is returned: the line with return is missing")
def nothing(counts):
    counts >= 2  # noqa: B015


@wrong("even counts are let in: every count from 2 on is, and 0 is not")
def even(counts):
    return counts % 2 == 0


@wrong("everything but the second occurrence is let in (a number other than 0 counts as true): compare with 2")
def all_but_second(counts):
    return (counts - 2).bool()


@wrong("the first and the second occurrence are let in: it is every one from the second on")
def first_and_second(counts):
    return (counts > 0) & (counts <= 2)


@wrong("the mask says where the count is larger than at the next position: compare each count with 2")
def larger_than_the_next(counts):
    return counts > counts.roll(1, -1)


@wrong("everything is let in: only counts of 2 and more are")
def everything(counts):
    return torch.ones_like(counts, dtype=torch.bool)


@right
def by_loop(counts):
    return torch.tensor([[count >= 2 for count in row] for row in counts.tolist()], dtype=torch.bool)


@right
def above_one(counts):
    return torch.gt(counts, 1)


@right
def neither_of_two(counts):
    return ~((counts == 0) | (counts == 1))


@right
def by_where(counts):
    return torch.where(counts < 2, torch.zeros_like(counts), torch.ones_like(counts)).bool()
