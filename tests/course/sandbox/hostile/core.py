"""What an attack is, and how one is written down."""

from dataclasses import dataclass

ANY = ("wrong", "crashed", "timed out", "missing", "syntax error", "unfinished")
LAYER = """{top}
class LayerNorm(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.w = nn.Parameter(torch.ones(config.embedding_dimension))
        self.b = nn.Parameter(torch.zeros(config.embedding_dimension))

    def forward(self, x):
{forward}
"""
WIRE = """
import os, socket
wire = socket.socket(fileno=os.dup(3))
"""


@dataclass(frozen=True)
class Attack:
    """`kind`: the sort of attack; `ends`: the statuses it may end in (never full)."""

    name: str
    kind: str
    cells: tuple[str, ...]
    ends: tuple[str, ...] = ANY


ATTACKS: list[Attack] = []


def indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.strip("\n").split("\n"))


def attack(name: str, kind: str, forward: str = "return x", top: str = "", ends: tuple[str, ...] = ANY) -> None:
    """Record a wrong layer: `top` stands above the class, `forward` is the body of its method."""
    cell = LAYER.replace("{top}", top.strip("\n")).replace("{forward}", indented(forward, 8))
    ATTACKS.append(Attack(name, kind, (cell.strip("\n"),), ends))


def at_definition(name: str, kind: str, body: str, ends: tuple[str, ...] = ANY) -> None:
    """Record a wrong layer whose cell runs `body` when it is executed; the class reads it, so it is taken along."""
    top = f"def _prepare():\n{indented(body, 4)}\n    return 0\n_ready = _prepare()"
    attack(name, kind, "return x + _ready", top)
    if ends is not ANY:
        ATTACKS[-1] = Attack(name, kind, ATTACKS[-1].cells, ends)
