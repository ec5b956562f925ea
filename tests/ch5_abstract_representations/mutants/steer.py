"""Wrong answers to exercise 5.29 that learners write, and right ones written differently."""

import torch

from utils.grade import right, slips


def draw(model, words):
    with torch.no_grad():
        return model.head(model.read(model.unseen(len(words)), model.codebook[words]))


slip = slips(
    """
    def steer(model, words, slot, new_word):
        other = words.clone()
        other[:, slot] = new_word
        before = draw(model, words).argmax(-1)
        after = draw(model, other).argmax(-1)
        return after, after != before
    """
)

in_place = slip(
    "the word is replaced in the caller's sentences, so that before and after are the same: work on a copy",
    "words.clone()", "words",
)  # fmt: skip
first_board = slip(
    "only the first board's word is replaced: replace it in every one", "other[:, slot]", "other[:1, slot]"
)
next_slot = slip(
    "the word beside the one asked for is replaced: slots count from 0",
    "other[:, slot]",
    "other[:, (slot + 1) % words.shape[1]]",
)
all_slots = slip(
    "every word of the sentence is replaced: only the one at `slot`",
    "other[:, slot] = new_word",
    "other[:] = torch.as_tensor(new_word).reshape(-1, 1)",
)
unchanged_cells = slip(
    "the cells that stayed the same are marked: mark those that changed", "after != before", "after == before"
)
before_returned = slip("the drawing from before is returned: return the new one", "return after,", "return before,")
logits_returned = slip(
    "logits are returned: return the most likely token of each cell", "return after,", "return draw(model, other),"
)
any_cell = slip(
    "one truth value for each board is returned: say for each cell whether it changed",
    "after != before", "(after != before).any(-1)",
)  # fmt: skip
against_logits = slip(
    "cells count as changed when a logit moved: compare the most likely tokens",
    "after != before", "(draw(model, other) != draw(model, words)).any(-1)",
)  # fmt: skip
first_boards_word = slip(
    "every board gets the word meant for the first one: new_word may hold one word for each board",
    "= new_word", "= int(torch.as_tensor(new_word).flatten()[0])",
)  # fmt: skip
exchanged = slip(
    "drawing and change have exchanged places: return the drawing first",
    "after, after != before",
    "after != before, after",
)
a_board_instead = slip(
    "the whole sentence of one board is replaced: replace the word at `slot` of every board",
    "other[:, slot]", "other[slot]",
)  # fmt: skip
from_here_on = slip(
    "all words from `slot` on are replaced: only the one at `slot`",
    "other[:, slot] = new_word", "other[:, slot:] = torch.as_tensor(new_word).reshape(-1, 1)",
)  # fmt: skip
added = slip(
    "the new word's number is added to the old one: it takes its place",
    "other[:, slot] = new_word", "other[:, slot] = (other[:, slot] + new_word) % len(model.codebook)",
)  # fmt: skip
as_integers = slip(
    "what changed comes as 0 and 1: return true and false", "after, after != before", "after, (after != before).long()"
)
caller_first = slip(
    "the word is replaced in the caller's sentences: work on a copy",
    "other = words.clone()\n    other[:, slot] = new_word\n    before = draw(model, words).argmax(-1)",
    "before = draw(model, words).argmax(-1)\n    words[:, slot] = new_word\n    other = words",
)  # fmt: skip
only_the_drawing = slip(
    "only the drawing is returned: say which cells changed, too", "return after, after != before", "return after"
)
against_silence = slip(
    "the new drawing is compared with that of another sentence: compare with the sentence as it was",
    "before = draw(model, words)", "before = draw(model, torch.zeros_like(words))",
)  # fmt: skip
words_compared = slip(
    "the words are compared, not the drawings: say which cells are drawn otherwise", "after != before", "other != words"
)
logits_kept = slip(
    "logits are returned and compared: take the most likely token of each cell first",
    "draw(model, words).argmax(-1)", "draw(model, words)", "draw(model, other).argmax(-1)", "draw(model, other)",
)  # fmt: skip
single_number = slip(
    "new_word is taken for a single number: it may hold one word for each board", "= new_word", "= int(new_word)"
)
differences = slip(
    "token numbers are subtracted: say true where the token is another one", "after != before", "after - before"
)
one_answer = slip(
    "a single truth value is returned: say for each cell whether it changed",
    "after != before", "bool((after != before).any())",
)  # fmt: skip
over_the_cells = slip(
    "the largest logit is sought along the cells: the tokens are on the last axis",
    "draw(model, words).argmax(-1)", "draw(model, words).argmax(1)",
    "draw(model, other).argmax(-1)", "draw(model, other).argmax(1)",
)  # fmt: skip
positions = slip(
    "the places of the changed cells are listed: return true and false for every cell",
    "after != before", "(after != before).nonzero()",
)  # fmt: skip
counted = slip(
    "the changed cells are counted: say for each cell whether it changed",
    "after != before",
    "(after != before).sum(-1)",
)
as_floats = slip(
    "what changed comes as 0 and 1: return true and false", "after, after != before", "after, (after != before).float()"
)
added_up = slip(
    "the new word's number is added to the old one: it takes its place",
    "other[:, slot] = new_word",
    "other[:, slot] += new_word",
)

both_edited = slip(
    "both drawings are made from the new sentence: one is to be made from the words as they were",
    "draw(model, words).argmax", "draw(model, other).argmax",
)  # fmt: skip
rest_too = slip(
    "the words after the slot are replaced as well: only the one at `slot`", "other[:, slot] =", "other[:, slot:] ="
)
others_blank = slip("the other words are lost: they stay as they were", "words.clone()", "torch.zeros_like(words)")


@right
def with_list(model, words, slot, new_word):
    columns = list(words.unbind(1))
    columns[slot] = torch.as_tensor(new_word).expand(len(words))
    new = torch.stack(columns, 1)
    tokens = [draw(model, sentence).max(-1).indices for sentence in (words, new)]
    return tokens[1], ~(tokens[0] == tokens[1])


@right
def by_mask(model, words, slot, new_word):
    here = torch.arange(words.shape[1]) == slot
    new = torch.where(here, torch.as_tensor(new_word).reshape(-1, 1), words)
    drawn = draw(model, torch.cat([words, new])).argmax(2)
    before, after = drawn[: len(words)], drawn[len(words) :]
    return after, after.ne(before)
