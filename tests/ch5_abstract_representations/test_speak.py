"""Hidden tests of exercise 5.23. The fixture speak is the function under test; the model is planted."""

from pathlib import Path

import torch

from utils.grade import close, equal, load_file, require, takes_along

lea = load_file(Path(__file__).with_name("_planted_lea.py"))


@takes_along(lea.planted)
def probe_speak(function, weights, tokens, training):
    """The words, what the model was shown, and whether model and tokens are as they were."""
    model = planted(weights)
    model.train(training)
    before, given = {name: value.clone() for name, value in model.state_dict().items()}, tokens.clone()
    words = function(model, given)
    kept = all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    grad = torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    kept = kept and model.training == training
    return {"words": words, "calls": model.calls, "kept": kept, "tokens": given, "grad": grad}


def case(draw):
    w = lea.planted_weights(draw)
    tokens = draw.integers(0, lea.V, lea.B, lea.T)
    z = lea.reading(w, tokens, w["blank"].expand(lea.B, -1, -1))
    w["codebook"][-1] = lea.composing(w, z)[0, 0]  # the last word is said, too
    return w, tokens, z, lea.nearest(w, lea.composing(w, z))


def test_board_and_blank_sentence_are_read(speak, draw):
    w, tokens, _, _ = case(draw)
    got = speak.run(probe_speak, w, tokens, False)
    require(len(got["calls"]) > 0, "no board is read: begin with model.read")
    seen, heard = (torch.cat(given) for given in zip(*got["calls"], strict=True))  # one board at a time is right, too
    says = f"read is called {len(got['calls'])} times for {lea.B} boards: each is read once, with the blank sentence"
    require(len(seen) <= lea.B, says)
    equal(seen, tokens, "read must be given the tokens of the masked board", inputs={"tokens": tokens})
    says = "before anything is said the network hears the blank sentence, model.blank(number of boards)"
    close(heard, w["blank"].expand(lea.B, -1, -1), says, name="the sentence that read hears")


def test_words(speak, draw):
    w, tokens, _, words = case(draw)
    got = speak.run(probe_speak, w, tokens, False)
    is_words = isinstance(got["words"], torch.Tensor) and got["words"].dtype == torch.int64
    require(is_words, "speak must return the numbers of the words, an int64 tensor", got=got["words"])
    says = f"speak must return one word for each board and place, shape {(lea.B, lea.S)}"
    require(tuple(got["words"].shape) == (lea.B, lea.S), says, got=got["words"])
    equal(got["words"], words, "a word is not the one nearest to what model.compose says about the board")


def test_model_is_left_alone(speak, draw):
    w, tokens, _, words = case(draw)
    got = speak.run(probe_speak, w, tokens, draw.index == 0)
    equal(got["words"], words, "in train mode the model says something else: speak must not depend on the mode")
    require(got["kept"], "speaking has changed the model: its codebook and its mode must stay as they were")
    equal(got["tokens"], tokens, "the caller's tokens were changed")
    require(got["grad"], "gradients are switched off for all that follows: use torch.no_grad() as a with block")
