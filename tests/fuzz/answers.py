"""Random changes to the source of an answer: some still parse, most of those are wrong, a few do harm."""

import re
from random import Random

DOCSTRING = re.compile(r'\s*"""[^"]*"""')
TOKEN = re.compile(r"\w+|[^\S\n]+|\n|[^\w\s]")
WORDS = ("self", "None", "True", "x", "0", "-1", "1e400", "9**9", "torch", "return", "lambda", "yield", "await", "not")
WORDS += (
    "if",
    "in",
    "is",
    "for",
    "del",
    "class",
    "def",
    "...",
    "''",
    "f'{x}'",
    "nn.Parameter",
    "global x",
    "import os",
)
MARKS = tuple("()[]{}:;,.=+-*/%@&|^~<>!?\\\"'#`$\t\x00\x0c\u00a0\u200b\ud800é😀")
RETURNS = (
    "None",
    "[]",
    "{}",
    "x.__class__",
    "[[[1]]]",
    "'\\ud800'",
    "float('nan')",
    "10**400",
    "print",
    "x.shape",
    "b'x'",
)
RETURNS += ("torch.zeros(0)", "torch.zeros(2**20)", "x.to(torch.complex64)", "{1: 2, (3,): None}", "object()", "1j")
LINES = (
    "raise SystemExit(3)",
    "raise KeyboardInterrupt",
    "raise BaseException",
    "import os; os._exit(7)",
    "import os; os.abort()",
    "print('x' * 10**6)",
    "import sys; sys.stderr.write('e\\n' * 1000)",
    "import warnings; warnings.warn('odd')",
    "torch.manual_seed(3)",
    "import no_such_module",
    "1 / 0",
    "assert False, '\\x1b[31m' + 'a' * 10**5",
    "exec('def f(): return f()'); f()",
    "global LayerNorm, torch; torch = None",
    "%time pass",
    "!ls",
    "from utils.learn import *",
)
ENDLESS = "while True: pass"


def _anywhere(rng: Random, tokens: list[str]) -> int:
    return rng.randrange(len(tokens))


def _drop(rng, tokens):
    del tokens[_anywhere(rng, tokens)]


def _twice(rng, tokens):
    at = _anywhere(rng, tokens)
    tokens.insert(at, tokens[at])


def _swap(rng, tokens):
    a, b = _anywhere(rng, tokens), _anywhere(rng, tokens)
    tokens[a], tokens[b] = tokens[b], tokens[a]


def _other_word(rng, tokens):
    words = [at for at, token in enumerate(tokens) if token.isidentifier() or token.isdigit()]
    if words:
        tokens[rng.choice(words)] = rng.choice([*WORDS, *(tokens[at] for at in words)])


def _other_mark(rng, tokens):
    marks = [at for at, token in enumerate(tokens) if len(token) == 1 and not token.isalnum() and not token.isspace()]
    tokens[rng.choice(marks) if marks else 0] = rng.choice(MARKS)


def _other_number(rng, tokens):
    numbers = [at for at, token in enumerate(tokens) if token.isdigit()]
    if numbers:
        tokens[rng.choice(numbers)] = rng.choice(("0", "1", "2", "-1", "0.5", "1e-9", "1e400", "10**30", "1_0", "0777"))


def _indent(rng, tokens):
    ends = [at for at, token in enumerate(tokens) if token == "\n"]
    if ends:
        tokens.insert(rng.choice(ends) + 1, rng.choice((" ", "    ", "\t")))


def _drop_line(rng, tokens):
    lines = "".join(tokens).split("\n")
    del lines[rng.randrange(len(lines))]
    tokens[:] = ["\n".join(lines) or "\n"]


def _line(rng, tokens):
    """One more statement in the body of something, or at the top."""
    lines = "".join(tokens).split("\n")
    at = rng.randrange(len(lines) + 1)
    beside = lines[min(at, len(lines) - 1)]
    space = beside[: len(beside) - len(beside.lstrip())]
    lines.insert(at, space + (ENDLESS if rng.random() < 0.01 else rng.choice(LINES)))
    tokens[:] = ["\n".join(lines)]


def _return(rng, tokens):
    lines = "".join(tokens).split("\n")
    returns = [at for at, line in enumerate(lines) if line.lstrip().startswith("return")]
    if returns:
        at = rng.choice(returns)
        lines[at] = lines[at][: lines[at].index("return")] + "return " + rng.choice(RETURNS)
    tokens[:] = ["\n".join(lines)]


def _cut(rng, tokens):
    del tokens[_anywhere(rng, tokens) :]


ON_TOKENS = (_drop, _twice, _swap, _other_word, _other_word, _other_mark, _other_number, _indent)
ON_LINES = (_drop_line, _line, _line, _return, _return, _cut)


def change(rng: Random, source: str) -> str:
    """The source with one to four random changes, most often without its docstring, where they would change nothing."""
    if rng.random() < 0.9:
        source = DOCSTRING.sub("", source)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        tokens = TOKEN.findall(source) or [" "]
        rng.choice(ON_TOKENS if rng.random() < 0.6 else ON_LINES)(rng, tokens)
        source = "".join(tokens)
    return source
