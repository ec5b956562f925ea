"""The cells of a notebook that a widget needs, so that it can be tried without everything else."""

import ast
import builtins
import importlib
import importlib.util
import pkgutil
import symtable

import nbformat

import utils.plot

KNOWN = set(dir(builtins)) - {"globals"}  # who asks for that gets every exercise


def explorers(key: str) -> set[str]:
    """Names of everything in utils.plot, and among the chapter's own figures, that gives an Explorer."""
    found = {"Explorer", "explore"}
    modules = [f"utils.plot.{module.name}" for module in pkgutil.iter_modules(utils.plot.__path__)]
    own = f"utils.{key}.figures"
    if importlib.util.find_spec(f"utils.{key}") and importlib.util.find_spec(own):
        modules.append(own)
    for module in modules:
        for name, obj in vars(importlib.import_module(module)).items():
            if getattr(obj, "__annotations__", {}).get("return") in ("Explorer", utils.plot.Explorer):
                found.add(name)
    return found


def ends_in(source: str, names: set[str]) -> bool:
    """Whether the last statement of a cell calls one of these, by its name or as `figures.name`."""
    body = ast.parse(source).body
    last = getattr(body[-1], "value", None) if body else None
    return isinstance(last, ast.Call) and ast.unparse(last.func).removeprefix("figures.") in names


def reads(source: str) -> set[str]:
    """Names that a cell takes from the cells before it."""
    table = symtable.symtable(source, "cell", "exec")
    names, waiting = set(), list(table.get_children())
    while waiting:
        inner = waiting.pop()
        waiting += inner.get_children()
        names |= {symbol.get_name() for symbol in inner.get_symbols() if symbol.is_global()}
    first: dict[str, type] = {}
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        first.setdefault(node.id, type(node.ctx))
    names |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    return {name for name in names if first.get(name) is not ast.Store} - KNOWN


def binds(source: str) -> set[str]:
    """Names that a cell defines for the cells after it."""
    symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    return {s.get_name() for s in symbols if s.is_assigned() or s.is_imported() or s.is_namespace()}


def cells_for(notebook, wanted: list[int]) -> list[int]:
    """Indices of the cells that the wanted ones need, with them, in order; set-up and imports always."""
    kept = set(wanted)
    names: set[str] = set().union(*(reads(notebook.cells[index].source) for index in wanted))
    for index in reversed(range(max(wanted))):
        cell = notebook.cells[index]
        if cell.cell_type != "code" or cell.metadata.get("exercise", {}).get("role") == "check":
            continue
        always = cell.id.endswith("-setup") or "imports" in cell.metadata.get("tags", ())
        always |= "globals" in names and ("exercise" in cell.metadata or "-given-" in cell.id)
        if always or index in kept or binds(cell.source) & names:
            kept.add(index)
            names = (names - binds(cell.source)) | reads(cell.source) | ({"globals"} & names)
    return sorted(kept)


def only(notebook, wanted: list[int]):
    """A notebook of the wanted cells and what they need, and where the wanted ones are in it."""
    kept = cells_for(notebook, wanted)
    small = nbformat.v4.new_notebook(metadata=notebook.metadata, cells=[notebook.cells[index] for index in kept])
    return small, [kept.index(index) for index in wanted]
