"""What a person should look at in an answer, read from its source. A flag never costs a point."""

import ast
import re
from functools import cache, lru_cache

from utils import course
from utils.chapter import stub_source
from utils.grade.policy import prelude
from utils.grade.reference import reference_definition
from utils.grade.submission import Definition, clean

# calls of libraries that do an exercise's work; told by the last name of a dotted one, if its root is torch or alike
DONE_FOR_YOU = {
    *("layer_norm", "native_layer_norm", "LayerNorm", "RMSNorm", "rms_norm", "group_norm", "GroupNorm"),
    *("gelu", "GELU", "embedding", "Embedding", "Linear", "linear"),
    *("MultiheadAttention", "multi_head_attention_forward", "scaled_dot_product_attention"),
    *("Transformer", "TransformerEncoder", "TransformerEncoderLayer", "TransformerDecoder", "TransformerDecoderLayer"),
    *("cross_entropy", "CrossEntropyLoss", "nll_loss", "generate_square_subsequent_mask"),
}
MODELS = ("transformers", "transformer_lens", "timm", "fairseq", "xformers", "flash_attn")
ANSWERS = ("solutions", "tests")
INSIDES = ("ctypes", "gc", "socket", "_getframe", "f_back", "f_locals", "f_globals", "__closure__", "__globals__")
ANSWERED = re.compile("|".join(ANSWERS))  # a text without it imports none of them
NAMES = ("id", "arg", "name", "attr")  # fields of syntax that may hold names of the learner's own
UNSEEN = ("annotation", "returns", "type_comment", "type_params")
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
WORTH_COMPARING = 55  # nodes of syntax that the learner had to write: shorter answers look alike anyway


def flags(chapter: str, definition: Definition) -> list[str]:
    """Sentences for review about one answer."""
    name, calls = definition.name, library_calls(definition)
    allowed = _allowed(chapter, name)
    found = [f"uses {call} (line {line} of {where}): for review" for call, line, where in calls if call not in allowed]
    for node, line, where in _nodes(definition):
        found += [f"reads {module} (line {line} of {where}): for review" for module in _ready_made(node)]
    if _published(chapter, name) and shape(definition.source) == _published(chapter, name):
        found.append("is the published solution apart from names: for review")
    if any(_bodies(source) & _oracles(chapter, name) for _, _, source in definition.parts):
        found.append("holds what a hidden test computes its expected values with, apart from names: for review")
    return list(dict.fromkeys(map(clean, found)))[:10]


def warm_up(chapter: str, name: str) -> None:
    """Work out once what every answer to an exercise is compared with."""
    _allowed(chapter, name)
    _published(chapter, name)
    _oracles(chapter, name)


@cache
def _published(chapter: str, name: str) -> str:
    """The shape of the published solution; empty where there is none, or where little of it is the learner's."""
    if not course.have_answers(chapter):
        return ""
    found = shape(reference_definition(chapter, name).source)
    written = found.count("(") - shape(stub_source(chapter, name)).count("(")
    return found if written >= WORTH_COMPARING else ""


@cache
def _oracles(chapter: str, name: str) -> frozenset[str]:
    """The functions of a chapter's hidden tests, which a hand-out may hold, without what the notebook gives."""
    return _tests(chapter) - _bodies(stub_source(chapter, name)) - _bodies(prelude(chapter))


@cache
def _tests(chapter: str) -> frozenset[str]:
    files = (course.ROOT / "tests" / course.chapter_name(chapter)).glob("*.py")
    return frozenset().union(*(_bodies(file.read_text(encoding="utf-8")) for file in files))


@lru_cache(maxsize=256)
def _bodies(source: str) -> frozenset[str]:
    """The shape of what each function of some length does, wherever it is defined."""
    functions = [node for node in _walk(source) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    try:
        found = [_told(_without_docstring(node), {}) for node in functions]
    except RecursionError:
        return frozenset()
    return frozenset(body for body in found if body.count("(") >= WORTH_COMPARING)


def library_calls(definition: Definition) -> list[tuple[str, int, str]]:
    """(dotted name, line, cell) of calls of libraries that do the work, also where only a string names them."""
    found = []
    aliases = {"F": "torch.nn.functional", "nn": "torch.nn", "torch": "torch"}
    nodes = _nodes(definition)
    for node, _, _ in nodes:
        if isinstance(node, ast.Import):
            aliases |= {a.asname: a.name for a in node.names if a.asname}
            aliases |= {root: root for a in node.names if not a.asname for root in [a.name.split(".")[0]]}
        elif isinstance(node, ast.ImportFrom) and node.module:
            aliases |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    for node, line, where in nodes:
        name = ""
        if isinstance(node, (ast.Attribute, ast.Name)) and isinstance(node.ctx, ast.Load):
            name = _dotted(node, aliases)
            name = name if name.startswith("torch.") and name.split(".")[-1] in DONE_FOR_YOU else ""
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            names = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            name = next((text for text in names if text in DONE_FOR_YOU), "")
        if name:
            found.append((name, line, where))
    return found


def _dotted(node: ast.AST, aliases: dict[str, str]) -> str:
    """The full name of what `F.gelu` or `softmax` stands for; empty where its first part is not imported."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return ".".join([aliases[node.id], *parts]) if isinstance(node, ast.Name) and node.id in aliases else ""


def _ready_made(node: ast.AST) -> list[str]:
    """What a node reaches for of ready-made models, of the course's answers and of the interpreter's insides."""
    names = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or ""]
    elif isinstance(node, ast.Attribute):
        names = [node.attr] if node.attr in INSIDES else []
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("solutions."):
        names = [node.value[:80]]
    return [name for name in names if name.split(".")[0] in MODELS + ANSWERS + INSIDES]


def answers_imported(source: str) -> list[tuple[str, int]]:
    """(name or module, line) of every import of the course's answers in a cell."""
    found = []
    for node in _walk(source):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ANSWERS:
            found += [(alias.asname or alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(a.name, node.lineno) for a in node.names if a.name.split(".")[0] in ANSWERS]
    return found


@cache
def _allowed(chapter: str, name: str) -> frozenset[str]:
    """Calls of libraries that the reference itself makes."""
    if not course.have_answers(chapter):
        return frozenset()
    return frozenset(found for found, _, _ in library_calls(reference_definition(chapter, name)))


@lru_cache(maxsize=256)
def shape(source: str) -> str:
    """A definition's syntax with its own names numbered by first use, without docstrings and annotations.

    Empty for source that does not parse.
    """
    try:
        return _told(ast.parse(source), {})
    except UNREADABLE:
        return ""


def _told(node, numbers: dict[str, int]) -> str:
    """A node of syntax, a list of them or a value as text; each name is the number it has in `numbers`."""
    if isinstance(node, list):
        return f"[{','.join([_told(item, numbers) for item in node])}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    parts = []
    for field in node._fields:
        value = getattr(node, field, None)
        if field in NAMES and isinstance(value, str):
            value = numbers.setdefault(value, len(numbers))
        elif field == "body" and isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            value = _without_docstring(node)
        if field not in UNSEEN:
            parts.append(_told(value, numbers))
    return f"{type(node).__name__}({','.join(parts)})"


def _without_docstring(node) -> list[ast.stmt]:
    return node.body[ast.get_docstring(node, clean=False) is not None :]


def _nodes(definition: Definition) -> list[tuple[ast.AST, int, str]]:
    """Every node of an answer, with its line and the cell it is in."""
    return [
        (node, first + getattr(node, "lineno", 1) - 1, where.strip("<>"))
        for where, first, source in definition.parts
        for node in _walk(source)
    ]


@lru_cache(maxsize=256)
def _walk(source: str) -> tuple[ast.AST, ...]:
    """Every node of a part's source, none where it does not parse; the exercises of a notebook share many parts."""
    try:
        return tuple(ast.walk(ast.parse(source)))
    except UNREADABLE:
        return ()
