"""Hidden tests of exercise 5.1: objects all different, tokens and roots drawn with replacement, in their ranges."""

import torch

from utils.grade import RARE, draws, equal, rarity, require


def probe_library(make_library, sizes, seeds):
    """The library's parts for each seed, as plain data, or "refused"; the global generator differs from run to run."""
    found = []
    with torch.random.fork_rng(devices=[]):
        for number, seed in enumerate(seeds):
            torch.manual_seed(100 + number)
            generator = torch.Generator().manual_seed(seed)
            try:
                lib = make_library(*sizes[:5], generator, **({"side": sizes[5]} if len(sizes) > 5 else {}))
            except ValueError:
                return "refused"
            except AssertionError:
                return "AssertionError"
            if lib is None:
                return None
            names = ("roots", "comps", "n_bg", "n_obj", "side", "margin", "d", "unk", "vocab")
            found.append({name: getattr(lib, name, "missing") for name in names})
            tables = [type(found[-1][name]).__name__ for name in ("roots", "comps")]
            found[-1] |= {"kind": type(lib).__name__, "tables": tables}
    return found


def drawn(make_library, draw, *sizes, seeds=None):
    found = make_library.run(probe_library, list(sizes), seeds or [draw.seed])
    require(found is not None, "make_library returns nothing: return the Library")
    require(found != "AssertionError", "make_library raised an AssertionError, although there are as many objects")
    R, d, _, n_obj, C = sizes[:5]
    says = (
        f"{R} roots of {d} x {d} cells out of {n_obj} tokens, and {C} composites of 2 x 2 slots out of {R} roots, are "
        "refused with a ValueError, although there are as many different ones"
    )
    require(found != "refused", says)
    for lib in found:
        missing = [name for name in ("roots", "comps", "d", "unk", "vocab") if isinstance(lib[name], str)]
        says = (
            f"make_library returns a {lib['kind']} without {', '.join(missing)}: "
            "return Library(roots, comps, n_bg, n_obj, side)"
        )
        require(not missing, says)
        says = f"roots and comps must be tensors, but they are {' and '.join(lib['tables'])}"
        require(lib["tables"] == ["Tensor", "Tensor"], says)
        for name, shape in (("roots", (R, d, d)), ("comps", (C, 2, 2))):
            value = lib[name]
            whole = torch.is_tensor(value) and (value.dtype == torch.int64 or value.numel() == 0)
            require(whole, f"the library's {name} must be an int64 tensor", got=value)
            says = f"the library's {name} have shape {tuple(value.shape)}, but {shape} is wanted"
            require(tuple(value.shape) == shape, says)
    return found if seeds else found[0]


def test_form(make_library, draw):
    n_bg, side = draw.integer(4, 60), draw.integer(9, 60)
    lib = drawn(make_library, draw, 6, 3, n_bg, 5, 2, side)
    says = "the library's n_bg, n_obj and side must be what make_library was given"
    equal([lib["n_bg"], lib["n_obj"], lib["side"]], [n_bg, 5, side], says)
    lib = drawn(make_library, draw, 3, 2, 2, 4, 0)
    equal(lib["side"], 8, "without side, the board's side must be 8")
    equal(lib["margin"], 1, "the margin of the Library must stay at its default, 1")


def test_tokens_may_repeat(make_library, draw):
    lib = drawn(make_library, draw, 200, 3, 2, 9, 1)
    tokens, wanted = lib["roots"].unique().tolist(), list(range(2, 11))
    says = f"with n_bg = 2 and n_obj = 9 the object tokens are 2 .. 10, but the roots hold {tokens}"
    equal(tokens, wanted, says)
    repeats = sum(len(set(root.flatten().tolist())) < 9 for root in lib["roots"])
    says = "hardly any root holds a token twice: draw the token of each cell on its own"
    require(repeats > 150, says)
    shares = torch.bincount(lib["roots"].flatten() - 2, minlength=9) / lib["roots"].numel()
    says = "some object tokens come more often than others: all are equally likely"
    require(rarity(shares, torch.full((9,), 1 / 9), lib["roots"].numel()) < RARE, says, got=shares)
    few = drawn(make_library, draw, 4, 3, 2, 9, 0, seeds=[draw.seed for _ in range(100)])
    shares = torch.bincount(torch.cat([one["roots"][:, 0, 0] for one in few]) - 2, minlength=9) / 400
    says = "objects that begin with a large token come too seldom: cutting off a sorted list leaves them out"
    require(rarity(shares, torch.full((9,), 1 / 9), 400) < RARE, says, got=shares)


def test_roots_all_different(make_library, draw):
    lib = drawn(make_library, draw, 16, 2, 3, 2, 1)
    different = len(lib["roots"].flatten(1).unique(dim=0))
    says = (
        f"only {different} of 16 roots are different: draw again what has come before (2 tokens on 2 x 2 cells give 16 "
        "roots, so each must come once)"
    )
    require(different == 16, says)


def test_roots_may_repeat(make_library, draw):
    comps = drawn(make_library, draw, 5, 2, 2, 5, 300)["comps"]
    says = "with 5 roots, the slots of the composites must hold root numbers 0 .. 4"
    equal(comps.unique().tolist(), [0, 1, 2, 3, 4], says)
    shares = (comps.flatten(1).sort(1).values.diff() == 0).any(1).float().mean()
    # 505 of the 625 composites hold a root twice; the 300 are drawn without replacement, so they vary less
    says = "too few composites hold a root twice: draw the root of each slot on its own"
    require(rarity(float(shares), 505 / 625, 300) < RARE, says, expected=505 / 625, got=float(shares))


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
    for objects, sizes in (("roots", (17, 2, 3, 2, 1)), ("composites", (2, 2, 3, 5, 17))):
        found = make_library.run(probe_library, list(sizes), [draw.seed])
        require(found != "AssertionError", "it refuses with an AssertionError: a ValueError is wanted")
        says = f"more {objects} than there are different ones must be refused with a ValueError"
        require(found == "refused", says)


def test_generator(make_library, draw):
    seed = draw.integer(0, 1000)
    one, two, other = drawn(make_library, draw, 9, 3, 4, 8, 4, seeds=[seed, seed, seed + 1])
    for name in ("roots", "comps"):
        says = "with equal seeds the libraries differ: every draw must use the given generator"
        equal(one[name], two[name], says)
        says = "generators with different seeds give the same library: draw from the given generator"
        require(not torch.equal(one[name], other[name]), says)
    says = "generators with different seeds give the same first root: draw every one"
    require(not torch.equal(one["roots"][0], other["roots"][0]), says)
