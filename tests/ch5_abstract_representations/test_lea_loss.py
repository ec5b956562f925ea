"""Hidden tests of exercise 5.25. The fixture lea_loss is the function under test; the model is planted."""

from pathlib import Path

import torch
import torch.nn.functional as F

from utils.grade import close, equal, load_file, require, takes_along

lea = load_file(Path(__file__).with_name("_planted_lea.py"))
PARTS = ("loss", "board", "speech", "vq", "vectors", "words")


@takes_along(lea.planted)
def probe_loss(function, weights, masked, board, training, options):
    """The parts, the gradients of the loss, and what the model was shown."""
    model = planted(weights).train(training)
    parts = function(model, masked.clone(), board.clone(), **options)
    if not isinstance(parts, dict):
        return {"kind": type(parts).__name__}
    found = {"kind": "dict", "calls": model.calls, "parts": {str(k): v for k, v in parts.items()}, "gradients": {}}
    if torch.is_tensor(parts.get("loss")) and parts["loss"].requires_grad:
        parts["loss"].sum().backward()
        named = dict(model.named_parameters())
        found["gradients"] = {name: p.grad for name, p in named.items() if p.grad is not None}
    return found | {"codebook": model.codebook, "training": model.training}


def oracle(w, masked, board, speech_weight=1.0, quantised=True):
    """The three passes, written out; returns the parts and the gradients."""
    w = {name: value.clone().requires_grad_(name in ("look", "hear", "say", "head")) for name, value in w.items()}
    z = lea.reading(w, masked, w["blank"].expand(len(masked), -1, -1))
    vectors = lea.composing(w, z)
    words = lea.nearest(w, vectors)
    chosen = w["codebook"][words]
    vq = (1 + w["commitment"]) * (vectors - chosen).square().mean()
    pull = (chosen - vectors.detach()).square().mean() + w["commitment"] * (vectors - chosen).square().mean()
    heard = vectors + (chosen - vectors).detach() if quantised else vectors
    drawn = lea.drawing(w, heard)
    from_board = F.cross_entropy((z @ w["head"].T).flatten(0, 1), board.flatten())
    from_speech = F.cross_entropy(drawn.flatten(0, 1), board.flatten())
    pull = pull if quantised else torch.zeros(())
    loss = from_board + speech_weight * (from_speech + pull)
    loss.backward()
    parts = {"loss": loss, "board": from_board, "speech": from_speech, "vq": vq if quantised else torch.zeros(())}
    gradients = {name: w[name].grad for name in ("look", "hear", "say")} | {"head.weight": w["head"].grad}
    return {name: value.detach() for name, value in parts.items()} | {"vectors": vectors, "words": words}, gradients


def case(draw):
    board = draw.integers(0, lea.UNK, lea.B, lea.T)
    hidden = torch.arange(lea.B * lea.T).view(lea.B, lea.T) % 3 == draw.index
    return lea.planted_weights(draw), torch.where(hidden, lea.UNK, board), board


def run(lea_loss, w, masked, board, training=True, **options):
    got = lea_loss.run(probe_loss, w, masked, board, training, options)
    require(got["kind"] == "dict", f"lea_loss must return its parts as a dict, but it returns a {got['kind']}")
    missing = [name for name in PARTS if name not in got["parts"]]
    require(not missing, f"the dict that lea_loss returns lacks {', '.join(missing)}")
    for name in ("loss", "board", "speech", "vq"):
        value = got["parts"][name]
        says = f"{name!r} must be a tensor without axes, from which a training loop takes the number with .item()"
        require(torch.is_tensor(value) and value.ndim == 0, says, got=value)
    words = got["parts"]["words"]
    whole = torch.is_tensor(words) and words.dtype == torch.int64
    require(whole, "'words' must be an int64 tensor, also where nothing is quantised", got=words)
    modes = "eval", "train"
    says = f"lea_loss has switched the model from {modes[training]} to {modes[not training]} mode: leave its mode alone"
    require(got["training"] == training, says)
    return got


def test_three_passes(lea_loss, draw):
    w, masked, board = case(draw)
    got, (wanted, _) = run(lea_loss, w, masked, board), oracle(w, masked, board)
    count = len(got["calls"])
    says = (
        f"read is called {count} times, but it takes two: one for the board, one to draw from the sentence (speak and "
        "draw, which keep no gradients, cannot be used)"
    )
    require(count == 2, says)
    (seen, heard), (blind, said) = got["calls"]
    equal(seen, masked, "the first pass must read the masked board, not the whole one", inputs={"masked": masked})
    says = "in the first pass the network hears the blank sentence, model.blank(number of boards)"
    close(heard, w["blank"].expand(lea.B, -1, -1), says, name="the sentence of the first pass")
    says = "in the third pass every cell must be masked: what the network draws comes from the sentence alone"
    equal(blind, lea.unseen(lea.B), says, inputs={"masked": masked})
    equal(got["parts"]["words"], wanted["words"], "words must hold the number of each vector's nearest word")
    close(
        got["parts"]["vectors"],
        wanted["vectors"].detach(),
        "vectors must hold what was composed, before it was quantised",
    )
    says = "the third pass must hear the words' vectors, quantised"
    close(said, w["codebook"][wanted["words"]], says, name="the sentence of the third pass")


def test_parts(lea_loss, draw):
    w, masked, board = case(draw)
    got, (wanted, _) = run(lea_loss, w, masked, board)["parts"], oracle(w, masked, board)
    says = "'board' is not the cross-entropy between the first pass's logits and the whole board, over all cells"
    close(got["board"], wanted["board"], says, name="'board'")
    says = "'speech' is not the cross-entropy between the third pass's logits and the whole board, over all cells"
    close(got["speech"], wanted["speech"], says, name="'speech'")
    says = "'vq' is not what vector_quantize gives as its loss, with the commitment of the model's settings"
    close(got["vq"], wanted["vq"], says, name="'vq'")
    close(got["loss"], wanted["loss"], "'loss' is not board + speech + vq (the weight is 1 here)", name="'loss'")


def test_weight_of_speech(lea_loss, draw):
    w, masked, board = case(draw)
    for weight in (0.3, 0.0):
        got = run(lea_loss, w, masked, board, speech_weight=weight)
        wanted, gradients = oracle(w, masked, board, weight)
        says = f"'loss' is not board + weight * (speech + vq): the weight is {weight} here"
        close(got["parts"]["loss"], wanted["loss"], says, name="'loss'")
        close(got["parts"]["speech"], wanted["speech"], "'speech' itself is told without the weight", name="'speech'")


def test_gradients(lea_loss, draw):
    w, masked, board = case(draw)
    got, (_, gradients) = run(lea_loss, w, masked, board), oracle(w, masked, board)
    for name, what in (("say", "composing"), ("look", "reading"), ("hear", "hearing"), ("head.weight", "drawing")):
        require(name in got["gradients"], f"no gradient reaches the weights of {what}: something is cut off on the way")
        says = f"the gradient of the weights of {what} is off: speech trains the first pass too, nothing is detached"
        close(got["gradients"][name], gradients[name], says, rtol=1e-3, name="the gradient")
    close(got["codebook"], w["codebook"], "the codebook has moved: only training moves it")
    run(lea_loss, w, masked, board, training=False)


def test_continuous_sentences(lea_loss, draw):
    w, masked, board = case(draw)
    got = run(lea_loss, w, masked, board, quantised=False)
    wanted, gradients = oracle(w, masked, board, quantised=False)
    says = "with quantised=False the third pass must hear the composed vectors as they are"
    close(got["calls"][-1][1], wanted["vectors"].detach(), says, name="the sentence of the third pass")
    says = "with quantised=False 'words' still holds the number of each vector's nearest word"
    equal(got["parts"]["words"], wanted["words"], says)
    close(got["parts"]["vq"], 0.0, "with quantised=False 'vq' is 0: nothing was quantised", name="'vq'")
    close(got["parts"]["loss"], wanted["loss"], "with quantised=False 'loss' is board + weight * speech", name="'loss'")
    require("say" in got["gradients"], "with quantised=False no gradient reaches the weights of composing")
    close(got["gradients"]["say"], gradients["say"], "with quantised=False the gradient is off", rtol=1e-3)
