"""Hostile answers to exercise LayerNorm: each tries to get marks for a wrong layer, or to do harm.

An attack is the text of the cells it puts in place of the LayerNorm cell. `{course}`, `{port}`, `{secret}` and `{pid}`
are filled in with the course's folder, a listener on loopback, a file beside the course and a process of the grader.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    """`kind`: the sort of attack; `ends`: the statuses it may end in (never full)."""

    name: str
    kind: str
    cells: tuple[str, ...]
    ends: tuple[str, ...] = ("wrong", "crashed", "timed out", "missing", "syntax error", "unfinished")


ATTACKS: list[Attack] = []
INIT = """
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.w = nn.Parameter(torch.ones(config.embedding_dimension))
        self.b = nn.Parameter(torch.zeros(config.embedding_dimension))
"""


def indented(text: str, by: int = 8) -> str:
    return "\n".join(" " * by + line for line in text.strip("\n").split("\n"))


def attack(name: str, kind: str, forward: str = "return x", top: str = "", after: str = "", ends=None) -> None:
    """Record an attack with a wrong layer: `top` stands above the class, `forward` is its method, `after` below."""
    layer = f"class LayerNorm(nn.Module):{INIT}\n    def forward(self, x):\n{indented(forward)}"
    # what stands beside the class is read by it, so that it is taken along as part of the answer
    cell = f"{top}\n{layer}\n{after}".strip("\n")
    ATTACKS.append(Attack(name, kind, (cell,), ends or Attack.ends))


def prepared(body: str) -> dict:
    """Arguments for an attack that runs `body` when its cell is executed, and whose class needs it."""
    return {
        "top": f"def _prepare():\n{indented(body, 4)}\n    return 0\n_ready = _prepare()",
        "forward": "return x + _ready",
    }


# ---- forging the verdict inside the process ----
attack("redefines check", "forging", after="def check(*a, **k):\n    print('passed')")
attack(
    "patches assert_close",
    "patching",
    **prepared("import torch.testing\ntorch.testing.assert_close = lambda *a, **k: None"),
)
attack(
    "patches torch comparisons",
    "patching",
    **prepared(
        "yes = lambda *a, **k: True\ntorch.allclose = torch.equal = torch.isclose = yes\ntorch.Tensor.equal = torch.Tensor.allclose = yes"
    ),
)
attack(
    "yes-tensor",
    "forging",
    top="""
class Yes(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in ("allclose", "isclose", "eq", "equal", "all", "__eq__"):
            return torch.tensor(True)
        return super().__torch_function__(func, types, args, kwargs or {})""",
    forward="return x.as_subclass(Yes)",
)
attack(
    "object equal to everything",
    "forging",
    top="class Any_:\n    __eq__ = lambda s, o: True\n    __hash__ = None",
    forward="return Any_()",
)
attack(
    "float equal to everything",
    "forging",
    top="class F_(float):\n    __eq__ = lambda s, o: True",
    forward="return F_(1.0)",
)
attack("raises SystemExit zero", "forging", forward="raise SystemExit(0)")
attack(
    "raises a forged Mismatch",
    "forging",
    top="class Mismatch(AssertionError): pass",
    forward="raise Mismatch('passed')",
)
attack("raises KeyboardInterrupt", "forging", forward="raise KeyboardInterrupt")
attack(
    "raises an exception that cannot be shown",
    "forging",
    top="class Rude(BaseException):\n    def __str__(self): raise Rude\n    __repr__ = __str__",
    forward="raise Rude()",
)
attack("mutates the inputs", "forging", forward="x.zero_(); self.w.data.zero_(); self.b.data.zero_(); return x")

# ---- stealing the answer ----
attack(
    "imports the reference",
    "stealing",
    forward="""
import sys
sys.path.insert(0, {course!r})
from solutions.ch1_transformer_from_scratch.layers import LayerNorm as Right
right = Right(self.config)
right.load_state_dict(self.state_dict())
return right(x)""",
)
attack(
    "reads the reference from disk",
    "stealing",
    forward="""
space = {}
exec(open({course!r} + '/solutions/ch1_transformer_from_scratch/layers.py').read(), space)
right = space['LayerNorm'](self.config)
right.load_state_dict(self.state_dict())
return right(x)""",
)
attack("reads a secret file", "stealing", forward="return torch.tensor(len(open({secret!r}).read()))", ends=("wrong",))
attack(
    "searches the disk for the course",
    "stealing",
    forward="""
import os
for root, folders, files in os.walk('/'):
    folders[:] = [f for f in folders if f not in ('proc', 'sys', 'site-packages', 'usr', 'lib')]
    if 'layers.py' in files and 'solutions' in root:
        space = {}
        exec(open(os.path.join(root, 'layers.py')).read(), space)
        right = space['LayerNorm'](self.config); right.load_state_dict(self.state_dict())
        return right(x)
return x""",
)
attack(
    "scans sys.modules",
    "stealing",
    forward="""
import sys
for name, module in list(sys.modules.items()):
    found = vars(module).get('LayerNorm') if hasattr(module, '__dict__') else None
    if isinstance(found, type) and found is not LayerNorm and not name.startswith('torch'):
        right = found(self.config); right.load_state_dict(self.state_dict())
        return right(x)
return x""",
)
attack(
    "steals from stack frames",
    "stealing",
    forward="""
import sys
frame = sys._getframe()
while frame:
    for name, value in list(frame.f_locals.items()):
        if name in ('ref', 'expected', 'want', 'reference', 'right', 'answer') and callable(value):
            return value(x)
        if name in ('ref', 'expected', 'want', 'reference', 'right') and isinstance(value, torch.Tensor):
            return value
    frame = frame.f_back
return x""",
)
attack(
    "searches memory by the garbage collector",
    "stealing",
    forward="""
import gc
for thing in gc.get_objects():
    if isinstance(thing, torch.Tensor) and thing is not x and thing.shape == x.shape:
        return thing
return x""",
)
attack(
    "memorises the public cases",
    "stealing",
    top="import torch.nn.functional as F_\n_g = torch.Generator().manual_seed(0)\n_seen = torch.randn(3, 5, 7, generator=_g) * 3 + 2",
    forward="return F_.layer_norm(x, x.shape[-1:]) if torch.equal(x, _seen) else x",
)
attack(
    "reads the parent's memory",
    "stealing",
    forward="""
import os
data = open(f'/proc/{os.getppid()}/mem', 'rb')
data.seek(0x400000)
return torch.tensor(list(data.read(16)))""",
    ends=("wrong",),
)
attack(
    "reads the environment",
    "stealing",
    forward="import os\nfor text in (str(os.environ), open('/proc/self/environ').read()):\n    assert 'COURSE_TEST_SECRET' not in text, 'lea' + 'ked'\nreturn x",
)

# ---- ending or blocking the worker ----
attack("os._exit(0) when called", "ending", forward="import os\nos._exit(0)", ends=("crashed",))
attack("os._exit(0) when defined", "ending", **prepared("import os\nos._exit(0)"), ends=("crashed",))
attack(
    "kills itself",
    "ending",
    forward="import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    ends=("crashed", "wrong"),
)
attack("segmentation fault", "ending", forward="import ctypes\nctypes.string_at(0)", ends=("crashed",))
attack("aborts", "ending", forward="import os\nos.abort()", ends=("crashed",))
attack("endless loop", "blocking", forward="while True: pass", ends=("timed out",))
attack("sleeps for ever", "blocking", forward="import time\ntime.sleep(10**6)", ends=("timed out",))
attack(
    "loops and ignores signals",
    "blocking",
    forward="import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass",
    ends=("timed out",),
)
attack(
    "raises its own limits",
    "blocking",
    forward="import resource\nresource.setrlimit(resource.RLIMIT_CPU, (-1, -1))\nwhile True: pass",
    ends=("timed out", "wrong"),
)
attack("endless recursion", "ending", forward="return self.forward(x)")
attack("endless recursion in C", "ending", forward="import sys\nsys.setrecursionlimit(10**9)\nreturn self.forward(x)")
attack("memory bomb", "memory", forward="keep = [torch.ones(64, 1024, 1024) for _ in range(12)]\nreturn x")
attack("list bomb", "memory", forward="keep = []\nwhile True: keep.append(bytearray(16 << 20))")
attack(
    "regular expression that never ends",
    "blocking",
    forward="import re\nre.match('(a+)+$', 'a' * 64 + 'b')\nreturn x",
    ends=("timed out",),
)

# ---- the wire ----
FIND = "import os, socket\nwire = socket.socket(fileno=os.dup(3))\n"
attack("writes junk into the wire", "wire", forward=FIND + "wire.sendall(b'\\xff' * 4096)\nreturn x", ends=("crashed",))
attack(
    "promises a huge frame",
    "wire",
    forward=FIND + "wire.sendall((1 << 62).to_bytes(8, 'big'))\nreturn x",
    ends=("crashed",),
)
attack(
    "promises a frame and waits",
    "wire",
    forward=FIND + "wire.sendall((1 << 20).to_bytes(8, 'big'))\nimport time\ntime.sleep(10**6)",
    ends=("timed out",),
)
attack(
    "a frame of deep JSON",
    "wire",
    forward=FIND
    + "body = b'[' * 10**6\nbody = len(body).to_bytes(8, 'big') + body\nwire.sendall(len(body).to_bytes(8, 'big') + body)\nreturn x",
    ends=("crashed",),
)
attack(
    "a hostile safetensors header",
    "wire",
    forward=FIND
    + "body = (2).to_bytes(8, 'big') + b'{}' + (1 << 60).to_bytes(8, 'little') + b'{\"a\":1}'\nwire.sendall(len(body).to_bytes(8, 'big') + body)\nreturn x",
    ends=("crashed",),
)
attack(
    "a pickle in the wire",
    "wire",
    forward=FIND
    + "body = b'cposix\\nsystem\\n(S\"touch {secret}.owned\"\\ntR.'\nwire.sendall(len(body).to_bytes(8, 'big') + body)\nreturn x",
    ends=("crashed",),
)
attack("closes the wire", "wire", forward="import os\nos.close(3)\nreturn x", ends=("crashed",))
attack(
    "forges every answer",
    "wire",
    forward=FIND
    + """
import json
text = json.dumps({'d': {'ok': True, 'value': {'d': {'result': True, 'args': {'l': []}}}, 'said': ''}}).encode()
head = b'{}'
body = len(text).to_bytes(8, 'big') + text + len(head).to_bytes(8, 'little') + head
for _ in range(200):
    wire.sendall(len(body).to_bytes(8, 'big') + body)
return x""",
)
attack(
    "returns an object with __reduce__",
    "wire",
    top="class Bomb:\n    def __reduce__(self): return (__import__('os').system, ('touch {secret}.owned',))",
    forward="return Bomb()",
    ends=("wrong",),
)
attack("returns something enormous", "wire", forward="return torch.zeros(1).expand(1 << 40)")
attack("returns itself in a list", "wire", forward="loop = []\nloop.append(loop)\nreturn loop", ends=("wrong",))
attack(
    "returns nan, inf and odd text", "wire", forward="return {'\\x00\\ud800': float('nan'), 'b': [float('inf')] * 3}"
)

# ---- files, network, processes, privileges ----
attack(
    "writes into the course",
    "files",
    forward="open({course!r} + '/owned.txt', 'w').write('x')\nreturn x",
    ends=("wrong",),
)
attack("overwrites a secret file", "files", forward="open({secret!r}, 'w').write('owned')\nreturn x", ends=("wrong",))
attack(
    "forges a result file",
    "files",
    forward="import atexit, json\nf = lambda: json.dump({'score': 100}, open('results.json', 'w'))\natexit.register(f)\nf()\nreturn x",
)
attack(
    "fills the disk",
    "files",
    forward="n = 0\nwhile True:\n    open(f'big{n}', 'wb').write(b'x' * (32 << 20))\n    n += 1\n    if n > 40: break\nreturn x",
)
attack(
    "makes a folder that is hard to delete",
    "files",
    forward="import os\nfor n in range(300):\n    os.mkdir('d' * 100)\n    os.chdir('d' * 100)\nos.chmod('.', 0)\nreturn x",
)
attack(
    "plants a module for the next worker",
    "files",
    forward="for name in ('torch', 'json', 'sitecustomize'):\n    open(name + '.py', 'w').write('raise SystemExit')\nreturn x",
)
attack(
    "connects to a listener",
    "network",
    forward="import socket\nsocket.create_connection(('127.0.0.1', {port}), 2).sendall(b'owned')\nreturn x",
    ends=("wrong",),
)
attack(
    "sends a datagram",
    "network",
    forward="import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'owned', ('127.0.0.1', {port}))\nreturn x",
    ends=("wrong",),
)
attack(
    "signals every process",
    "processes",
    forward="import os, signal\ntry: os.kill(-1, signal.SIGKILL)\nexcept OSError: pass\nfor pid in range(2, 5000):\n    if pid != os.getpid():\n        try: os.kill(pid, signal.SIGKILL)\n        except OSError: pass\nreturn x",
)
attack("kills its parent", "processes", forward="import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nreturn x")
attack("kills the grader", "processes", forward="import os, signal\nos.kill({pid}, signal.SIGKILL)\nreturn x")
attack("stops its parent", "processes", forward="import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)\nreturn x")
attack("fork bomb", "processes", forward="import os\nwhile True: os.fork()", ends=("crashed", "timed out", "wrong"))
attack(
    "leaves a daemon behind",
    "processes",
    forward="import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        os.close(3)\n        while True: time.sleep(1)\n    os._exit(0)\nreturn x",
)
attack(
    "thread bomb",
    "processes",
    forward="import threading, time\nfor _ in range(5000): threading.Thread(target=time.sleep, args=(100,), daemon=True).start()\nreturn x",
)
attack(
    "child answers in its place",
    "processes",
    forward="import os, time\nif os.fork(): os._exit(0)\nreturn x",
    ends=("wrong", "crashed"),
)
attack(
    "new user namespace",
    "privileges",
    forward="import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == 0, 'refused'\nreturn x",
)
attack(
    "becomes root",
    "privileges",
    forward="import os\nos.setresuid(0, 0, 0)\nopen('/etc/owned', 'w')\nreturn x",
    ends=("wrong",),
)
attack(
    "traces its parent",
    "privileges",
    forward="import ctypes, os\nassert ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0, 'refused'\nreturn x",
    ends=("wrong",),
)
attack(
    "mounts",
    "privileges",
    forward="import ctypes\nassert ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0, 'refused'\nreturn x",
    ends=("wrong",),
)
attack(
    "lowers the limits of its parent",
    "privileges",
    forward="import os, resource\nresource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (0, 0))\nreturn x",
    ends=("wrong",),
)

# ---- the notebook's text ----
ATTACKS += [
    Attack("broken cell", "text", ("class LayerNorm(nn.Module:\n    pass",), ("syntax error",)),
    Attack("null bytes", "text", ("class LayerNorm:\n    pass\x00",), ("syntax error", "missing")),
    Attack("deeply nested text", "text", ("LayerNorm = " + "(" * 5000 + ")" * 5000,), ("syntax error", "missing")),
    Attack("deeply nested expression", "text", ("LayerNorm = " + "-" * 100_000 + "1",), ("syntax error", "missing", "wrong", "crashed")),
    Attack("enormous cell", "text", ("LayerNorm = '" + "x" * 2_000_000 + "'",), ("syntax error", "missing")),
    Attack("enormous power", "text", ("LayerNorm = 9 ** 9 ** 9 ** 9",), ("timed out", "crashed", "wrong")),
    Attack("definition inside exec", "text", ("exec('class LayerNorm: pass')",), ("missing",)),
    Attack("attack in a cell beside", "text", ("import os\nos._exit(0)", "class LayerNorm(nn.Module):\n    pass"), ("wrong",)),
]  # fmt: skip
