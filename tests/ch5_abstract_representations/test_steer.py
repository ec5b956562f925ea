"""Hidden tests of exercise 5.29. The fixture steer is the function under test; the model is planted."""

from pathlib import Path

import torch

from utils.grade import close, equal, load_file, require, takes_along

lea = load_file(Path(__file__).with_name("_planted_lea.py"))


@takes_along(lea.planted)
def probe_steer(function, weights, words, slot, new_word):
    """What came back, and the words afterwards."""
    model, given = planted(weights), words.clone()
    before = new_word.clone() if torch.is_tensor(new_word) else new_word
    result = function(model, given, slot, new_word)
    if not isinstance(result, tuple) or len(result) != 2:
        return {"kind": type(result).__name__}
    kept = bool(torch.equal(model.codebook, weights["codebook"])) and model.training
    found = {"kind": "pair", "drawing": result[0], "changed": result[1], "words": given, "kept": kept}
    return found | {"new_kept": not torch.is_tensor(new_word) or torch.equal(new_word, before)}


def case(draw):
    w, words = lea.planted_weights(draw), draw.integers(0, lea.K, lea.B, lea.S)
    before = lea.drawing(w, w["codebook"][words]).argmax(-1)
    return w, words, before


def after(w, words, slot, new_word):
    other = words.clone()
    other[:, slot] = new_word
    return lea.drawing(w, w["codebook"][other]).argmax(-1)


def telling(draw):
    """A case in which some cells change and others do not, on every draw."""
    while True:
        w, words, before = case(draw)
        slot, new_word = draw.integer(0, lea.S), draw.integer(0, lea.K)
        changed = after(w, words, slot, new_word) != before
        if changed.any(1).all() and not changed.all(1).any():
            return w, words, slot, new_word, before, changed


def run(steer, w, words, slot, new_word):
    got = steer.run(probe_steer, w, words, slot, new_word)
    require(
        got["kind"] == "pair", f"steer must return a pair, the drawing and what changed, but it returns a {got['kind']}"
    )
    return got


def test_drawing(steer, draw):
    w, words, slot, new_word, before, changed = telling(draw)
    got = run(steer, w, words, slot, new_word)
    says = "the drawing is not the most likely token of each cell after the one word was replaced"
    equal(got["drawing"], after(w, words, slot, new_word), says, inputs={"words": words})
    equal(got["words"], words, "the caller's words were changed: replace the word in a copy")
    require(got["kept"], "the model's codebook or its mode was changed: replace the word in the sentence alone")


def test_changed_cells(steer, draw):
    w, words, slot, new_word, before, changed = telling(draw)
    got = run(steer, w, words, slot, new_word)
    is_bool = isinstance(got["changed"], torch.Tensor) and got["changed"].dtype == torch.bool
    require(is_bool, "what changed must be a bool tensor (B, T)", got=got["changed"])
    says = "the changed cells are not those where the new drawing differs from the model's drawing before"
    equal(got["changed"], changed, says, inputs={"words": words})


def test_same_word_changes_nothing(steer, draw):
    w, words, before = case(draw)
    slot = draw.integer(0, lea.S)
    got = run(steer, w, words, slot, words[:, slot].clone())
    require(got["new_kept"], "the caller's new words were changed")
    says = "a word that is replaced by itself must change nothing; new_word may be one word for each board"
    equal(got["changed"], torch.zeros(lea.B, lea.T, dtype=torch.bool), says, inputs={"words": words})
    close(got["drawing"].float(), before.float(), "with each board's own word the drawing must stay as it was")
