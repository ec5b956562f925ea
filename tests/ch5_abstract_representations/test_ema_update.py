"""Hidden tests of exercise 5.21. The fixture ema_update is the function under test."""

import torch

from utils.grade import close, require

K, E = 6, 4


def probe_update(function, state, x, words, options):
    """The new state, and what became of the arguments; x arrives with a gradient, as it does in training."""
    given = {name: tensor.clone() for name, tensor in state.items()}
    leaf = x.clone().requires_grad_()
    new = function(given, leaf * 1.0, words, **options)
    found = {"kind": type(new).__name__, "old": given}
    if isinstance(new, dict):
        found["missing"] = [name for name in ("codebook", "counts", "sums") if not torch.is_tensor(new.get(name))]
        found["new"] = {str(name): value for name, value in new.items() if torch.is_tensor(value)}
        found["graph"] = any(value.requires_grad for value in new.values() if torch.is_tensor(value))
    return found


def case(draw, n=9):
    counts = draw.uniform(K, low=0.5, high=3.0)
    codebook = draw.normal(K, E)
    state = {"codebook": codebook, "counts": counts, "sums": codebook * counts[:, None]}
    words = torch.tensor([0, 1, 1, 3, 3, 3, 4, 0, 4])[:n]  # words 2 and 5 are chosen by none
    return state, draw.normal(n, E, mean=1.0), words


def expected(state, x, words, decay=0.99):
    """The oracle, word by word."""
    counts, sums = state["counts"].clone(), state["sums"].clone()
    for k in range(K):
        mine = x[words == k]
        counts[k] = decay * counts[k] + (1 - decay) * len(mine)
        sums[k] = decay * sums[k] + (1 - decay) * mine.sum(0)
    return counts, sums


def run(ema_update, state, x, words, **options):
    got = ema_update.run(probe_update, state, x, words, options)
    require(got["kind"] == "dict", f"ema_update must return the new state, a dict, but it returns a {got['kind']}")
    require(not got["missing"], f"the new state lacks {', '.join(got['missing'])}")
    return got


def test_counts_and_sums(ema_update, draw):
    state, x, words = case(draw)
    for decay in (0.99, 0.7):
        new = run(ema_update, state, x, words, **({} if decay == 0.99 else {"decay": decay}))["new"]
        counts, sums = expected(state, x, words, decay)
        says = "a count is not decay * count + (1 - decay) * (how many vectors chose the word)"
        close(new["counts"], counts, says, name="counts")
        says = "a sum is not decay * sum + (1 - decay) * (the sum of the vectors that chose the word)"
        close(new["sums"], sums, says, name="sums")


def test_codebook_is_the_mean(ema_update, draw):
    state, x, words = case(draw)
    new = run(ema_update, state, x, words, decay=0.8)["new"]
    counts, sums = expected(state, x, words, 0.8)
    says = "a word is not its new sum over its new count"
    close(new["codebook"], sums / counts[:, None], says, name="codebook")
    new = run(ema_update, state, x, words, decay=0.8, epsilon=0.35)["new"]
    says = "a count above epsilon must divide as it is: epsilon is the least divisor, and is not added to it"
    close(new["codebook"], sums / counts[:, None], says, name="codebook")
    still = torch.stack([new["codebook"][2], new["codebook"][5]])
    says = "a word that no vector chose has moved: its sum and its count shrink together, so it stays where it is"
    close(still, torch.stack([state["codebook"][2], state["codebook"][5]]), says, name="an unused word")


def test_a_word_with_count_zero_stays_finite(ema_update, draw):
    state, x, words = case(draw)
    state["counts"][5] = 0.0
    state["sums"][5], state["codebook"][5] = 1e-9, 1e-6
    new = run(ema_update, state, x, words, epsilon=1e-3)["new"]
    says = "a word that nobody uses is divided by a count of zero: divide by at least epsilon"
    require(bool(new["codebook"].isfinite().all() and new["codebook"].abs().max() < 100), says, got=new["codebook"])
    close(new["codebook"][5], new["sums"][5] / 1e-3, "the smallest divisor must be epsilon", name="codebook")
    new = run(ema_update, state, x, words, epsilon=9.0)["new"]
    says = "the smallest divisor must be epsilon, for words that were chosen, too"
    close(new["codebook"][words], new["sums"][words] / 9.0, says, name="codebook")
    says = "epsilon is the least divisor, and no more: the counts themselves stay what they are"
    close(new["counts"], expected(state, x, words)[0], says, name="counts")


def test_arguments_and_gradient(ema_update, draw):
    state, x, words = case(draw)
    got = run(ema_update, state, x, words)
    for name in ("codebook", "counts", "sums"):
        close(got["old"][name], state[name], f"the old state's {name} was changed: return a new state", name=name)
    require(not got["graph"], "the new state carries a gradient: these averages are not trained, so detach x")
