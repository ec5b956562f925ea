"""Hidden tests of exercise 5.24. The fixture draw is the function under test, `source` draws the inputs; the model is
planted."""

from pathlib import Path

import torch

from utils.grade import close, equal, load_file, require, takes_along

lea = load_file(Path(__file__).with_name("_planted_lea.py"))


@takes_along(lea.planted)
def probe_draw(function, weights, words, training):
    """The logits, what the model was shown, and whether it is as it was."""
    model = planted(weights)
    model.train(training)
    before, given = {name: value.clone() for name, value in model.state_dict().items()}, words.clone()
    logits = function(model, given)
    kept = all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    kept = kept and model.training == training
    graph = torch.is_tensor(logits) and logits.requires_grad
    return {"logits": logits, "calls": model.calls, "kept": kept, "graph": graph, "words": given}


def case(source):
    w, words = lea.planted_weights(source), source.integers(0, lea.K, lea.B, lea.S)
    return w, words, lea.drawing(w, w["codebook"][words])


def test_only_the_words_are_known(draw, source):
    w, words, _ = case(source)
    got = draw.run(probe_draw, w, words, False)
    seen, heard = (torch.cat(given) for given in zip(*got["calls"], strict=True))  # one board at a time is right, too
    says = f"read is called {len(got['calls'])} times for {lea.B} boards: each is drawn once, from its words alone"
    require(len(seen) <= lea.B and len(heard) <= lea.B, says)
    equal(seen, lea.unseen(lea.B), "every cell must be masked: take model.unseen(number of boards)")
    says = "read must hear the words' vectors: look each word up in the codebook"
    close(heard, w["codebook"][words], says, name="the sentence that read hears", inputs={"words": words})


def test_logits(draw, source):
    w, words, wanted = case(source)
    got = draw.run(probe_draw, w, words, False)
    says = "the result is not what model.head makes of the abstractions: logits (B, T, V), before any softmax"
    close(got["logits"], wanted, says, name="the logits")


def test_model_is_left_alone(draw, source):
    w, words, wanted = case(source)
    got = draw.run(probe_draw, w, words, source.index == 0)
    close(got["logits"], wanted, "in train mode the drawing is another: draw must not depend on the mode")
    require(got["kept"], "drawing has changed the model: its codebook and its mode must stay as they were")
    require(not got["graph"], "the logits hold a computation graph: draw under torch.no_grad()")
    equal(got["words"], words, "the caller's words were changed")
