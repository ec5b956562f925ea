"""Hidden tests of exercise 5.20. The fixture vector_quantize is the function under test."""

import torch

from utils.grade import close, equal, require


def probe_quantize(function, x, codebook, commitment, direction):
    """The three results, and the gradients of the quantised vectors and of the loss."""
    leaf, book = x.clone().requires_grad_(), codebook.clone().requires_grad_()
    result = function(leaf, book) if commitment is None else function(leaf, book, commitment)
    if not isinstance(result, tuple) or len(result) != 3:
        return {"kind": type(result).__name__}
    q, words, loss = result
    found = {"kind": "triple", "q": q, "words": words, "loss": loss}
    for name, value in (
        ("q", q * direction if torch.is_tensor(q) and q.shape == direction.shape else q),
        ("loss", loss),
    ):
        if torch.is_tensor(value) and value.requires_grad:
            inputs = leaf, book
            both = torch.autograd.grad(value.sum(), inputs, retain_graph=True, allow_unused=True)
            for kind, start, grad in zip(("x", "book"), inputs, both, strict=True):
                found[f"{name}_{kind}"] = torch.zeros_like(start) if grad is None else grad
    return found | {"x_after": leaf.detach(), "book_after": book.detach()}


def case(draw, shape=(3, 5), K=7, E=4):
    x, codebook = draw.normal(*shape, E), draw.normal(K, E, std=1.5)
    words = torch.tensor(
        [[int(((v - codebook) ** 2).sum(-1).argmin()) for v in row] for row in x.view(-1, shape[-1], E)]
    )
    return x, codebook, words.view(shape), draw.normal(*shape, E)


def run(vector_quantize, x, codebook, direction, commitment=None):
    got = vector_quantize.run(probe_quantize, x, codebook, commitment, direction)
    require(
        got["kind"] == "triple",
        f"vector_quantize must return three things, (quantised vectors, words, loss), but it returns a {got['kind']}",
    )
    q = got["q"]
    vectors = isinstance(q, torch.Tensor) and q.is_floating_point() and q.shape == x.shape
    require(vectors, "the first of the three results must be the quantised vectors, with the shape of x", got=q)
    return got


def test_long_words_do_not_win(vector_quantize, draw):
    """By dot product a long word is nearest to everything that points its way, and by cosine length does not count."""
    x, codebook, _, direction = case(draw)
    near = torch.arange(15).view(3, 5) % 6
    codebook[6] = 40 * codebook[0]
    x = codebook[near] + 0.01 * x
    got = run(vector_quantize, x, codebook, direction)
    whole = isinstance(got["words"], torch.Tensor) and got["words"].dtype == torch.int64
    require(whole, "the words must be an int64 tensor: for each vector the number of its word", got=got["words"])
    says = "a vector that almost equals its word gets another one: the nearest word has the smallest distance"
    equal(got["words"], near, says, inputs={"x": x.flatten(0, 1), "codebook": codebook})


def test_nearest_word(vector_quantize, draw):
    x, codebook, words, direction = case(draw)
    got = run(vector_quantize, x, codebook, direction)
    inputs = {"x": x.flatten(0, 1), "codebook": codebook}
    whole = isinstance(got["words"], torch.Tensor) and got["words"].dtype == torch.int64
    require(whole, "the words must be an int64 tensor: for each vector the number of its word", got=got["words"])
    says = "some vector does not get its nearest word: compare it with every word, by Euclidean distance"
    equal(got["words"], words, says, inputs=inputs)
    says = "the quantised vectors are not the words that were chosen: look them up in the codebook"
    close(got["q"], codebook[words], says, inputs=inputs)


def test_gradient_passes_straight_through(vector_quantize, draw):
    x, codebook, _, direction = case(draw)
    got = run(vector_quantize, x, codebook, direction)
    require(
        "q_x" in got,
        "no gradient comes back from the quantised vectors: return x + (words - x) with the difference detached",
    )
    says = "the gradient of the quantised vectors must reach x unchanged, as if nothing had been quantised"
    close(got["q_x"], direction, says)
    says = "the quantised vectors hand their gradient to the codebook too: only the loss may move the words"
    require(not got["q_book"].any(), says)


def test_loss(vector_quantize, draw):
    x, codebook, words, direction = case(draw)
    distance = (x - codebook[words]).square().mean()
    for commitment in (None, 0.6):
        c = 0.25 if commitment is None else commitment
        got = run(vector_quantize, x, codebook, direction, commitment)
        says = "the loss is not mean (q - x)^2 + commitment * mean (q - x)^2: two terms, means over all numbers"
        close(got["loss"], (1 + c) * distance, says, name="the loss")
        require("loss_x" in got, "the loss has no gradient: only the words' number is chosen without one")
        says = "the loss must pull x towards its word with weight `commitment`: the first term's x is detached"
        close(got["loss_x"], 2 * c * (x - codebook[words]) / x.numel(), says, name="the gradient for x")
        pull = torch.zeros_like(codebook).index_add(0, words.flatten(), (codebook[words] - x).flatten(0, 1))
        says = "the loss must pull each word towards its vectors with weight 1: the second term's word is detached"
        close(got["loss_book"], 2 * pull / x.numel(), says, name="the gradient for the codebook")


def test_any_leading_axes(vector_quantize, draw):
    x, codebook, words, direction = case(draw, shape=(6,))
    got = run(vector_quantize, x, codebook, direction)
    equal(got["words"], words, "with x of shape (n, E) the words must have shape (n,)")
    close(got["x_after"], x, "x was changed in place: it is still needed")
    close(got["book_after"], codebook, "the codebook was changed in place: only training moves it")
