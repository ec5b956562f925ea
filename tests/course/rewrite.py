"""Rewrite a known wrong answer without changing what it computes, so that a diagnosis can only go by behaviour.

`rewrite(obj)` gives an equal class or function with other names: locals and parameters renamed, sums and products
with their operands exchanged, differences turned round, comparisons mirrored, einsum letters in the other case,
results named before they are returned, and the whole put behind a helper.
"""

import ast
import inspect
import sys
import textwrap

from torch import Tensor

MIRROR = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq}


def rewrite(obj):
    """An object that behaves as `obj` does, a class or function from a file, but is written otherwise."""
    return compile_rewritten(obj, rewritten_source(obj))


def rewritten_source(obj) -> str:
    """The source of the rewritten object, which is called `answer` (a function) or `Answer` (a class)."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(obj))).body
    node.decorator_list = []
    if isinstance(node, ast.ClassDef):
        for method in (part for part in node.body if isinstance(part, ast.FunctionDef)):
            if method.name != "__init__":
                _rewrite_function(method)
        old, node.name = node.name, "Answer"
        tail = []
    else:
        _rewrite_function(node)
        old, node.name = node.name, "helper_of_answer"
        tail = ast.parse(
            "def answer(*given, **named):\n    found = helper_of_answer(*given, **named)\n    return found"
        ).body
    module = ast.Module([_Rename({old: node.name}).visit(node), *tail], [])
    return ast.unparse(ast.fix_missing_locations(module))


def compile_rewritten(obj, source: str):
    """Define the rewritten object among the names that the original sees."""
    namespace = dict(vars(sys.modules[obj.__module__]))
    namespace |= {"_add": _add, "_multiply": _multiply, "_subtract": _subtract, "__name__": "rewritten"}
    exec(compile(source, "<rewritten>", "exec"), namespace)
    return namespace["Answer" if inspect.isclass(obj) else "answer"]


def _rewrite_function(function: ast.FunctionDef) -> None:
    parameters = [a.arg for a in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]]
    names = _locals(function, parameters)
    body = [_Rename({name: f"{name}_of_mine" for name in names}).visit(statement) for statement in function.body]
    body = [part for statement in body for part in _listed(_Rewrite().visit(statement))]
    renamed = [ast.parse(f"{name}_of_mine = {name}").body[0] for name in parameters if name in names]
    function.body = [*renamed, *body]


def _locals(function: ast.FunctionDef, parameters: list[str]) -> set[str]:
    """Names that can be renamed: parameters (but self) and what is assigned, unless an inner scope claims the name."""
    names, keep = set(parameters), {"self", "cls"}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            keep.update(node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            keep.add(node.name)
        elif isinstance(node, ast.alias):
            keep.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, (ast.FunctionDef, ast.Lambda)) and node is not function:
            keep.update(a.arg for a in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs])
            keep.update([node.name] if isinstance(node, ast.FunctionDef) else [])
    return names - keep


def _listed(item) -> list:
    return item if isinstance(item, list) else [item]


class _Rename(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]):
        self.names = names

    def visit_Name(self, node):
        node.id = self.names.get(node.id, node.id)
        return node


class _Rewrite(ast.NodeTransformer):
    """Equal expressions for equal expressions; augmented assignments stay, for they may be what is wrong."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        helper = {ast.Add: "_add", ast.Mult: "_multiply", ast.Sub: "_subtract"}.get(type(node.op))
        if helper is None:
            return node
        return ast.Call(ast.Name(helper, ast.Load()), [node.left, node.right], [])

    def visit_Compare(self, node):
        self.generic_visit(node)
        if len(node.ops) == 1 and type(node.ops[0]) in MIRROR:
            return ast.Compare(node.comparators[0], [MIRROR[type(node.ops[0])]()], [node.left])
        return node

    def visit_Return(self, node):
        self.generic_visit(node)
        if node.value is None:
            return node
        return [
            ast.Assign([ast.Name("to_hand_back", ast.Store())], node.value),
            ast.Return(ast.Name("to_hand_back", ast.Load())),
        ]

    def visit_Call(self, node):
        self.generic_visit(node)
        for part in node.args if not node.keywords else ():
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and "->" in part.value:
                part.value = part.value.swapcase()
        return node


def _numbers(*values) -> bool:
    return all(isinstance(value, (Tensor, int, float)) for value in values)


def _add(a, b):
    return b + a if _numbers(a, b) else a + b


def _multiply(a, b):
    return b * a if _numbers(a, b) else a * b


def _subtract(a, b):
    floats = all(isinstance(v, float) or (isinstance(v, Tensor) and v.is_floating_point()) for v in (a, b))
    return -(b - a) if floats else a - b
