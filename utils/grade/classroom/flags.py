"""What a person should look at in an answer, read from its source. A flag never costs a point."""

import ast
from functools import cache, lru_cache

from utils import course
from utils.chapter import stub_source
from utils.grade.reference import reference_definition
from utils.grade.submission import Definition, clean

# library pieces that do an exercise's work; told by the last name of a dotted one, if its root is torch or alike
DONE_FOR_YOU = {
    *("layer_norm", "native_layer_norm", "LayerNorm", "RMSNorm", "rms_norm", "group_norm", "GroupNorm"),
    *("gelu", "GELU", "embedding", "Embedding", "Linear", "linear"),
    *("MultiheadAttention", "multi_head_attention_forward", "scaled_dot_product_attention"),
    *("Transformer", "TransformerEncoder", "TransformerEncoderLayer", "TransformerDecoder", "TransformerDecoderLayer"),
    *("cross_entropy", "CrossEntropyLoss", "nll_loss", "generate_square_subsequent_mask"),
}
MODELS = ("transformers", "transformer_lens", "timm", "fairseq", "xformers", "flash_attn")
ANSWERS = ("solutions", "tests")
WORTH_COMPARING = 60  # nodes of syntax that the learner had to write: shorter answers look alike anyway


def flags(chapter: str, definition: Definition) -> list[str]:
    """Sentences for review about one answer."""
    found = []
    allowed = _allowed(chapter, definition.name)
    for name, line, where in library_calls(definition):
        if name not in allowed:
            found.append(f"uses {name} (line {line} of {where}): for review")
    found += [f"reads {module} (line {line} of {where}): for review" for module, line, where in imports(definition)]
    if same_as_published(chapter, definition):
        found.append("is the published solution apart from names: for review")
    return list(dict.fromkeys(map(clean, found)))[:10]


def library_calls(definition: Definition) -> list[tuple[str, int, str]]:
    """(dotted name, line, cell) of library pieces that do the work, also where only a string names them."""
    found = []
    pieces = _pieces(definition)
    aliases = {"F": "torch.nn.functional", "nn": "torch.nn", "torch": "torch"}
    for nodes, _, _ in pieces:
        for node in nodes:
            if isinstance(node, ast.Import):
                aliases |= {
                    a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0] for a in node.names
                }
            elif isinstance(node, ast.ImportFrom) and node.module:
                aliases |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    for nodes, first, where in pieces:
        for node in nodes:
            name = None
            if isinstance(node, (ast.Attribute, ast.Name)) and isinstance(node.ctx, ast.Load):
                name = _dotted(node, aliases)
                if name and not (name.startswith("torch.") and name.split(".")[-1] in DONE_FOR_YOU):
                    name = None
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
                strings = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                name = next((text for text in strings if text in DONE_FOR_YOU), None)
            if name:
                found.append((name, first + node.lineno - 1, where))
    return found


def imports(definition: Definition) -> list[tuple[str, int, str]]:
    """(module, line, cell) of ready-made models and of the course's answers that the answer reaches for."""
    found = []
    for nodes, first, where in _pieces(definition):
        for node in nodes:
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("solutions."):
                names = [node.value[:80]]
            for name in names:
                if name.split(".")[0] in MODELS + ANSWERS:
                    found.append((name, first + node.lineno - 1, where))
    return found


def answers_imported(source: str) -> list[tuple[str, int]]:
    """(name or module, line) of every import of the course's answers in a cell."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ANSWERS:
            found += [(alias.asname or alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(a.name, node.lineno) for a in node.names if a.name.split(".")[0] in ANSWERS]
    return found


def same_as_published(chapter: str, definition: Definition) -> bool:
    """Whether the answer is the reference's but for names, comments and annotations; never said of a short one."""
    if not course.have_answers(chapter):
        return False
    name = definition.name
    mine, theirs = shape(definition.source), _published(chapter, name)
    return (
        theirs is not None
        and mine is not None
        and len(theirs) - _given(chapter, name) >= WORTH_COMPARING
        and mine == theirs
    )


@cache
def _published(chapter: str, name: str) -> tuple | None:
    return shape(reference_definition(chapter, name).source)


@cache
def _given(chapter: str, name: str) -> int:
    return len(shape(stub_source(chapter, name)) or ())


@cache
def _allowed(chapter: str, name: str) -> frozenset[str]:
    """Library pieces that the reference itself uses."""
    if not course.have_answers(chapter):
        return frozenset()
    return frozenset(found for found, _, _ in library_calls(reference_definition(chapter, name)))


def shape(source: str) -> tuple | None:
    """A definition's syntax with its own names numbered by first use, without docstrings and annotations."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    numbers: dict[str, int] = {}
    found: list = []

    def number(name: str) -> int:
        return numbers.setdefault(name, len(numbers))

    def visit(node: ast.AST) -> None:
        found.append(type(node).__name__)
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body = body[1:]
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "type_comment", "ctx", "type_params", "kind"):
                continue
            for item in (
                body if field == "body" and isinstance(body, list) else value if isinstance(value, list) else [value]
            ):
                if isinstance(item, ast.AST):
                    visit(item)
                elif isinstance(item, str) and field in ("id", "arg", "name", "attr"):
                    found.append(number(item))
                else:
                    found.append(repr(item))

    try:
        visit(tree)
    except RecursionError:
        return None
    return tuple(found)


def _pieces(definition: Definition) -> list[tuple[tuple[ast.AST, ...], int, str]]:
    return [(_nodes(source), line, where.strip("<>")) for where, line, source in definition.pieces]


@lru_cache(maxsize=256)
def _nodes(source: str) -> tuple[ast.AST, ...]:
    """Every node of a piece of source, none where it does not parse; the exercises of a notebook share many pieces."""
    try:
        return tuple(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()


def _dotted(node: ast.AST, aliases: dict[str, str]) -> str | None:
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in aliases:
        return None
    return ".".join([aliases[node.id], *reversed(parts)])
