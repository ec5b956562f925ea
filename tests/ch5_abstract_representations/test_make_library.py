"""Hidden tests of exercise 5.1: objects all different, tokens and roots drawn with replacement, in their ranges."""

import torch

from utils.grade import RARE, draws, equal, raises, rarity, require


def probe_library(make_library, sizes, seeds):
    """The library's parts for each seed, as plain data; the global generator differs from run to run."""
    found = []
    with torch.random.fork_rng(devices=[]):
        for number, seed in enumerate(seeds):
            torch.manual_seed(100 + number)
            generator = torch.Generator().manual_seed(seed)
            lib = make_library(*sizes[:5], generator, **({"side": sizes[5]} if len(sizes) > 5 else {}))
            if lib is None:
                return None
            names = ("roots", "comps", "n_bg", "n_obj", "side", "d", "unk")
            found.append({name: getattr(lib, name, "missing") for name in names})
    return found


def drawn(make_library, draw, *sizes, seeds=None):
    found = make_library.run(probe_library, list(sizes), seeds or [draw.seed])
    require(found is not None, "make_library returns nothing: return the Library")
    R, d, _, _, C = sizes[:5]
    for lib in found:
        says = "make_library returns something without roots and comps: return Library(roots, comps, n_bg, n_obj, side)"
        require(isinstance(lib["roots"], torch.Tensor) or lib["roots"] != "missing", says)
        for name, shape in (("roots", (R, d, d)), ("comps", (C, 2, 2))):
            value = lib[name]
            whole = torch.is_tensor(value) and value.dtype == torch.int64
            require(whole, f"the library's {name} must be an int64 tensor", got=value)
            says = f"the library's {name} have shape {tuple(value.shape)}, but {shape} is wanted"
            require(tuple(value.shape) == shape, says)
    return found if seeds else found[0]


def test_form(make_library, draw):
    n_bg, side = draw.integer(4, 60), draw.integer(9, 60)
    lib = drawn(make_library, draw, 6, 3, n_bg, 5, 2, side)
    says = "the library's n_bg, n_obj and side must be what make_library was given"
    equal([lib["n_bg"], lib["n_obj"], lib["side"]], [n_bg, 5, side], says)
    equal(drawn(make_library, draw, 3, 2, 2, 4, 1)["side"], 8, "without side, the board's side must be 8")


def test_roots_all_different(make_library, draw):
    lib = drawn(make_library, draw, 16, 2, 3, 2, 1)
    different = len(lib["roots"].flatten(1).unique(dim=0))
    says = (
        f"only {different} of 16 roots are different: draw again what has come before (2 tokens on 2 x 2 cells give 16 "
        "roots, so each must come once)"
    )
    require(different == 16, says)


def test_object_tokens(make_library, draw):
    n_bg, n_obj = 3 + draw.index, 6
    lib = drawn(make_library, draw, n_obj, 1, n_bg, n_obj, 1)
    says = (
        "with as many roots of one cell as object tokens, the roots must be exactly the tokens n_bg .. n_bg + n_obj - 1"
    )
    equal(lib["roots"].flatten().sort().values, torch.arange(n_bg, n_bg + n_obj), says)


def test_tokens_may_repeat(make_library, draw):
    lib = drawn(make_library, draw, 200, 3, 2, 9, 1)
    repeats = sum(len(set(root.flatten().tolist())) < 9 for root in lib["roots"])
    says = "hardly any root holds a token twice: draw the token of each cell on its own"
    require(repeats > 150, says)
    shares = torch.bincount(lib["roots"].flatten() - 2, minlength=9) / lib["roots"].numel()
    says = "some object tokens come more often than others: all are equally likely"
    require(rarity(shares, torch.full((9,), 1 / 9), lib["roots"].numel()) < RARE, says, got=shares)


def test_composites(make_library, draw):
    lib = drawn(make_library, draw, 2, 2, 2, 5, 16)
    different = len(lib["comps"].flatten(1).unique(dim=0))
    says = (
        f"only {different} of 16 composites are different: draw again what has come before (2 roots in 4 slots give 16 "
        "composites, so each must come once)"
    )
    require(different == 16, says)
    equal(sorted(lib["comps"].unique().tolist()), [0, 1], "composites of 2 roots must hold the root numbers 0 and 1")


@draws(1)
def test_too_many(make_library, draw):
    with raises("more roots than there are different ones must be refused with a ValueError", "ValueError"):
        drawn(make_library, draw, 17, 2, 3, 2, 1)
    with raises("more composites than there are different ones must be refused with a ValueError", "ValueError"):
        drawn(make_library, draw, 2, 2, 3, 5, 17)


def test_generator(make_library, draw):
    seed = draw.integer(0, 1000)
    one, two, other = drawn(make_library, draw, 9, 3, 4, 8, 4, seeds=[seed, seed, seed + 1])
    for name in ("roots", "comps"):
        says = "with equal seeds the libraries differ: every draw must use the given generator"
        equal(one[name], two[name], says)
        says = "generators with different seeds give the same library: draw from the given generator"
        require(not torch.equal(one[name], other[name]), says)
