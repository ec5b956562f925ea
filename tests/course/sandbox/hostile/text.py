"""The notebook's text itself."""

from tests.course.sandbox.hostile.core import ATTACKS, Attack

NESTED = "LayerNorm = " + "(" * 5000 + ")" * 5000
BESIDE = ("import os\nos._exit(0)", "class LayerNorm(nn.Module):\n    pass")
UNREAD = ("syntax error", "missing")
ATTACKS += [
    Attack("broken cell", "text", ("class LayerNorm(nn.Module:\n    pass",), ("syntax error",)),
    Attack("null bytes", "text", ("class LayerNorm:\n    pass\x00",), UNREAD),
    Attack("deeply nested text", "text", (NESTED,), UNREAD),
    Attack("deeply nested expression", "text", ("LayerNorm = " + "-" * 100_000 + "1",), (*UNREAD, "wrong", "crashed")),
    Attack("enormous cell", "text", ("LayerNorm = '" + "x" * 2_000_000 + "'",), UNREAD),
    Attack("enormous power", "text", ("LayerNorm = 9 ** 9 ** 9 ** 9",), ("timed out", "crashed", "wrong")),
    Attack("definition inside exec", "text", ("exec('class LayerNorm: pass')",), ("missing",)),
    Attack("attack in a cell beside", "text", BESIDE, ("wrong",)),
]
