"""The process that meets a learner's code: defines it, runs probes beside it, sends plain data back.

Loaded from its text inside the sandbox. Nothing here is secret and nothing said here is trusted: expected values live
in the process that asks.
"""

import builtins
import contextlib
import linecache
import random
import re
import socket
import sys
import traceback
import types

FAILED: list[tuple[str, str]] = []  # statements of the learner's that raised: source, and why
TEXT = 600  # characters of an error's text


class Inert(str):
    """Stands for what only a notebook has (figures, displays, texts): takes any call, gives itself."""

    def __call__(self, *args, **kwargs):
        return args[0] if len(args) == 1 and isinstance(args[0], (type, types.FunctionType)) and not kwargs else self

    def __getattribute__(self, name):
        return super().__getattribute__(name) if name.startswith("__") else self

    def __getitem__(self, key):
        return self

    def __mro_entries__(self, bases):
        return (Exception,)  # `class RaspError(CourseError)`: the course's classes that cells derive from are errors

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

    def __iter__(self):
        return iter(())


def serve(sock: socket.socket, wire, probes, settings: dict) -> None:
    """Say that this worker is ready, then answer requests until the asking side closes. The first one defines the
    learner's code: whatever comes before its answer is ours."""
    send(sock, wire.encode({"ok": True}))
    # descriptor 1 leads nowhere
    sys.stdout = sys.stderr = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    target = None
    count = 0
    while (body := receive(sock)) is not None:
        request = wire.decode(body)
        count += 1
        allow_cpu(settings["request_cpu"])
        try:
            seed(count)
            if "define" in request:
                target = define(request["define"], request["name"])
                answer = {"ok": True, "value": None}
            else:
                probe = probes.compile_probe(request["probe"], request["source"])
                answer = {"ok": True, "value": wire.plain(probe(target, *request["data"]))}
        except wire.WireError as error:
            answer = {"ok": False, "kind": "TypeError", "text": str(error)[:TEXT], "line": None, "code": None}
        except BaseException as error:  # a SystemExit is the learner's, too
            answer = failure(error)
        try:
            body = wire.encode(answer)
        except BaseException as error:
            body = wire.encode(failure(error))
        send(sock, body)


def send(sock: socket.socket, body: bytes) -> None:
    """One frame to the trusted side."""
    sock.sendall(len(body).to_bytes(8, "big") + body)


def receive(sock: socket.socket) -> bytes | None:
    """One frame from the trusted side, or None when it has closed."""
    head = exactly(sock, 8)
    return None if head is None else exactly(sock, int.from_bytes(head, "big"))


def exactly(sock: socket.socket, size: int) -> bytes | None:
    data = bytearray(size)
    view, at = memoryview(data), 0
    while at < size:
        got = sock.recv_into(view[at:])
        if not got:
            return None
        at += got
    return bytes(data)


def allow_cpu(seconds: int) -> None:
    """CPU time for one request: the soft limit moves on, the hard one stays."""
    try:
        import resource
    except ImportError:  # on Windows the asking side's clock has to do
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = int(usage.ru_utime + usage.ru_stime) + 1 + seconds
    with contextlib.suppress(ValueError, OSError):  # the learner's code has lowered it: its own affair
        resource.setrlimit(resource.RLIMIT_CPU, (min(soft, hard), hard))


def seed(number: int) -> None:
    """Random numbers of a request do not depend on what ran before it."""
    random.seed(number)
    torch = sys.modules["torch"]
    torch.default_generator.manual_seed(number)  # torch.manual_seed asks for every kind of GPU first: 0.2 ms
    torch.set_grad_enabled(True)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(number)


def warm_up(wire, probes) -> None:
    """Do once what every worker would do first: modules that import lazily, caches that fill at the first call."""
    torch = sys.modules["torch"]
    seed(0)
    text = "def probe(obj, x):\n    return nn.functional.layer_norm(obj(x), (3,)) @ x.T"
    x = wire.decode(wire.encode({"x": torch.ones(2, 3), "said": ("", None, 1.5)}))["x"]
    wire.plain(probes.compile_probe("probe", text)(torch.nn.Linear(3, 3), x).detach())
    weight = torch.nn.Parameter(torch.ones(1))
    weight.grad = torch.ones(1)
    for optimizer in (torch.optim.SGD, torch.optim.AdamW):
        optimizer([weight], lr=0.1).step()
    define([{"name": "A", "uses": [], "inert": [], "cells": {}, "parts": [["<cell 0>", 1, "A = 1"]]}], "A")
    del sys.modules["notebook_A"]
    try:
        raise NotImplementedError
    except NotImplementedError as error:
        failure(error)


def define(modules: list[dict], name: str):
    """Execute definitions in namespaces of their own, in order, and return the object called `name`.

    Each module: {"name", "uses": names of other modules, "inert": names only a notebook has, "cells": {file name:
    text}, "parts": [[file name, first line, source], ...], "flags": of the compiler}. Parts that meet an undefined
    name are tried again, since cells need not be in the order they were run, and two answers may use one another.
    Raises what the learner's code raised.
    """
    inert = Inert()
    builtins.display = builtins.get_ipython = inert
    made, spaces = {}, []
    for entry in modules:
        module = types.ModuleType(f"notebook_{entry['name']}")
        sys.modules[module.__name__] = module
        module.__dict__.update({unbound: inert for unbound in entry["inert"]})
        spaces.append((entry, module.__dict__, list(entry["parts"])))
        for file, text in entry["cells"].items():
            linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    why, before = {}, None
    while before != (before := len(made) - sum(len(waiting) for _, _, waiting in spaces)):
        for entry, space, waiting in spaces:
            space.update({used: made[used] for used in entry["uses"] if used in made})
            if failed := execute(waiting, space, entry.get("flags", 0)):
                why[entry["name"]] = failed
            if entry["name"] in space:
                made.setdefault(entry["name"], space[entry["name"]])
    if name not in made:
        raise why.get(name) or NameError(f"name {name!r} is not defined")
    return made[name]


def execute(parts: list, space: dict, flags: int) -> BaseException | None:
    """Execute the parts in their order, as often as it takes; what is still waiting for a name stays in the list.

    Returns the first error of those that failed, one that isn't about a name first.
    """
    error = None
    while parts:
        waiting, missing = [], None
        for file, line, source in parts:
            try:
                exec(compile("\n" * (line - 1) + source, file, "exec", flags, True), space)
            except NameError as raised:
                waiting.append([file, line, source])
                missing = missing or raised
            except BaseException as raised:  # the others may do without it
                told = failure(raised)
                where = f"line {told['line']} of {file.strip('<>')}"
                FAILED.append((source, f"{told['kind']}: {told['text']} ({where})"))
                error = error or raised
        if len(waiting) == len(parts):
            return error or missing
        parts[:] = waiting
    return error


def failure(error: BaseException) -> dict:
    """What is told of an exception: its kind, its text, where in the learner's cell."""
    try:
        (kind, *bases), text = [printable(c.__name__)[:80] for c in type(error).__mro__], str(error)
    except BaseException:  # its __str__ is the learner's as well
        kind, bases, text = "Exception", [], "an exception that cannot be shown"
    if "can't allocate memory" in text or kind == "OutOfMemoryError":
        kind, text = "MemoryError", "the answer asked for more memory than it may use"
    if isinstance(error, NameError) and isinstance(name := getattr(error, "name", None), str):
        pattern = re.compile(rf"\b{re.escape(name)}\b")
        if why := next((why for source, why in FAILED if pattern.search(source)), None):
            text += f", because the statement that should define it fails: {why}"
    line = code = None
    try:
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if frame.filename.startswith("<cell"):
                line = frame.lineno
                code = (frame.line or linecache.getline(frame.filename, line or 0)).strip() or None
                break
        if isinstance(error, SyntaxError) and str(error.filename).startswith("<cell"):
            line, code = error.lineno, (error.text or "").strip() or None
    except BaseException:
        line = code = None
    if line is not None:
        line = int(line)
    kind, text = printable(kind[:TEXT])[:80], printable(text[: 4 * TEXT])[:TEXT]
    return {"ok": False, "kind": kind, "text": text, "line": line, "code": code, "bases": bases[:20]}


def printable(text: str) -> str:
    """Text without control characters and lone surrogates."""
    text = re.sub(r"[^\n\t\x20-\x7e\xa0-\U0010ffff]", "", str(text))
    return text.encode("utf-8", "replace").decode("utf-8")
