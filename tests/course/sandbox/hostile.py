"""Hostile answers to exercise LayerNorm: each tries to get marks for a wrong layer, or to do harm.

An attack is the text of the cells it puts in place of the LayerNorm cell. In a text, COURSE, SECRET, PORT and VICTIM
stand for the course's folder, a file beside the course, a listener on loopback and a process of the grader.
"""

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


# ---- forging the verdict inside the process ----


attack(
    "redefines check",
    "forging",
    top="""
def check(*a, **k):
    print('passed')
""",
)

at_definition(
    "patches assert_close",
    "patching",
    """
import torch.testing
torch.testing.assert_close = lambda *a, **k: None
""",
)

at_definition(
    "patches torch comparisons",
    "patching",
    """
yes = lambda *a, **k: True
torch.allclose = torch.equal = torch.isclose = yes
torch.Tensor.equal = torch.Tensor.allclose = yes
""",
)

attack(
    "yes-tensor",
    "forging",
    forward="return x.as_subclass(Yes)",
    top="""
class Yes(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in ("allclose", "isclose", "eq", "equal", "all", "__eq__"):
            return torch.tensor(True)
        return super().__torch_function__(func, types, args, kwargs or {})
""",
)

attack(
    "object equal to everything",
    "forging",
    forward="return Any_()",
    top="""
class Any_:
    __eq__ = lambda s, o: True
    __hash__ = None
""",
)

attack(
    "float equal to everything",
    "forging",
    forward="return F_(1.0)",
    top="""
class F_(float):
    __eq__ = lambda s, o: True
""",
)

attack("raises SystemExit zero", "forging", forward="raise SystemExit(0)")

attack(
    "raises a forged Mismatch",
    "forging",
    forward="raise Mismatch('passed')",
    top="""
class Mismatch(AssertionError): pass
""",
)

attack("raises KeyboardInterrupt", "forging", forward="raise KeyboardInterrupt")

attack(
    "raises an exception that cannot be shown",
    "forging",
    forward="raise Rude()",
    top="""
class Rude(BaseException):
    def __str__(self): raise Rude
    __repr__ = __str__
""",
)

attack(
    "mutates the inputs",
    "forging",
    forward="""
x.zero_(); self.w.data.zero_(); self.b.data.zero_(); return x
""",
)


# ---- stealing the answer ----


attack(
    "imports the reference",
    "stealing",
    forward="""
import sys
sys.path.insert(0, 'COURSE')
from solutions.ch1_transformer_from_scratch.layers import LayerNorm as Right
right = Right(self.config)
right.load_state_dict(self.state_dict())
return right(x)
""",
)

attack(
    "reads the reference from disk",
    "stealing",
    forward="""
space = {}
exec(open('COURSE' + '/solutions/ch1_transformer_from_scratch/layers.py').read(), space)
right = space['LayerNorm'](self.config)
right.load_state_dict(self.state_dict())
return right(x)
""",
)

attack("reads a secret file", "stealing", forward="return torch.tensor(len(open('SECRET').read()))", ends=("wrong",))

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
return x
""",
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
return x
""",
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
return x
""",
)

attack(
    "searches memory by the garbage collector",
    "stealing",
    forward="""
import gc
for thing in gc.get_objects():
    if isinstance(thing, torch.Tensor) and thing is not x and thing.shape == x.shape:
        return thing
return x
""",
)

attack(
    "memorises the public cases",
    "stealing",
    forward="""
return F_.layer_norm(x, x.shape[-1:]) if torch.equal(x, _seen) else x
""",
    top="""
import torch.nn.functional as F_
_g = torch.Generator().manual_seed(0)
_seen = torch.randn(3, 5, 7, generator=_g) * 3 + 2
""",
)

attack(
    "reads the parent's memory",
    "stealing",
    forward="""
import os
data = open(f'/proc/{os.getppid()}/mem', 'rb')
data.seek(0x400000)
return torch.tensor(list(data.read(16)))
""",
    ends=("wrong",),
)

attack(
    "reads the environment",
    "stealing",
    forward="""
import os
for text in (str(os.environ), open('/proc/self/environ').read()):
    assert 'GRADER_TOKEN' not in text, 'lea' + 'ked'
return x
""",
)


# ---- ending, blocking and filling the worker ----


attack(
    "os._exit(0) when called",
    "ending",
    forward="""
import os
os._exit(0)
""",
    ends=("crashed",),
)

at_definition(
    "os._exit(0) when defined",
    "ending",
    """
import os
os._exit(0)
""",
    ends=("crashed",),
)

attack(
    "kills itself",
    "ending",
    forward="""
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
""",
    ends=("crashed", "wrong"),
)

attack(
    "segmentation fault",
    "ending",
    forward="""
import ctypes
ctypes.string_at(0)
""",
    ends=("crashed",),
)

attack(
    "aborts",
    "ending",
    forward="""
import os
os.abort()
""",
    ends=("crashed",),
)

attack("endless loop", "blocking", forward="while True: pass", ends=("timed out",))

attack(
    "sleeps for ever",
    "blocking",
    forward="""
import time
time.sleep(10**6)
""",
    ends=("timed out",),
)

attack(
    "loops and ignores signals",
    "blocking",
    forward="""
import signal
for n in range(1, 65):
    try: signal.signal(n, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: pass
""",
    ends=("timed out",),
)

attack(
    "raises its own limits",
    "blocking",
    forward="""
import resource
resource.setrlimit(resource.RLIMIT_CPU, (-1, -1))
while True: pass
""",
    ends=("timed out", "wrong"),
)

attack("endless recursion", "ending", forward="return self.forward(x)")

attack(
    "endless recursion in C",
    "ending",
    forward="""
import sys
sys.setrecursionlimit(10**9)
return self.forward(x)
""",
)

attack(
    "memory bomb",
    "memory",
    forward="""
keep = [torch.ones(64, 1024, 1024) for _ in range(12)]
return x
""",
)

attack(
    "list bomb",
    "memory",
    forward="""
keep = []
while True: keep.append(bytearray(16 << 20))
""",
)

attack(
    "regular expression that never ends",
    "blocking",
    forward="""
import re
re.match('(a+)+$', 'a' * 64 + 'b')
return x
""",
    ends=("timed out",),
)


# ---- the wire ----


attack(
    "writes junk into the wire",
    "wire",
    forward=WIRE
    + r"""
wire.sendall(b'\xff' * 4096)
return x
""",
    ends=("crashed",),
)

attack(
    "promises a huge frame",
    "wire",
    forward=WIRE
    + """
wire.sendall((1 << 62).to_bytes(8, 'big'))
return x
""",
    ends=("crashed",),
)

attack(
    "promises a frame and waits",
    "wire",
    forward=WIRE
    + """
wire.sendall((1 << 20).to_bytes(8, 'big'))
import time
time.sleep(10**6)
""",
    ends=("timed out",),
)

attack(
    "a frame of deep JSON",
    "wire",
    forward=WIRE
    + """
body = b'[' * 10**6
body = len(body).to_bytes(8, 'big') + body
wire.sendall(len(body).to_bytes(8, 'big') + body)
return x
""",
    ends=("crashed",),
)

attack(
    "a hostile safetensors header",
    "wire",
    forward=WIRE
    + """
body = (2).to_bytes(8, 'big') + b'{}' + (1 << 60).to_bytes(8, 'little') + b'{"a":1}'
wire.sendall(len(body).to_bytes(8, 'big') + body)
return x
""",
    ends=("crashed",),
)

attack(
    "a pickle in the wire",
    "wire",
    forward=WIRE
    + r"""
body = b'cposix\nsystem\n(S"touch SECRET.owned"\ntR.'
wire.sendall(len(body).to_bytes(8, 'big') + body)
return x
""",
    ends=("crashed",),
)

attack(
    "closes the wire",
    "wire",
    forward="""
import os
os.close(3)
return x
""",
    ends=("crashed",),
)

attack(
    "forges every answer",
    "wire",
    forward=WIRE
    + """
import json
text = json.dumps({'d': {'ok': True, 'value': {'d': {'result': True, 'args': {'l': []}}}, 'said': ''}}).encode()
head = b'{}'
body = len(text).to_bytes(8, 'big') + text + len(head).to_bytes(8, 'little') + head
for _ in range(200):
    wire.sendall(len(body).to_bytes(8, 'big') + body)
return x
""",
)

attack(
    "returns an object with __reduce__",
    "wire",
    forward="return Bomb()",
    top="""
class Bomb:
    def __reduce__(self): return (__import__('os').system, ('touch SECRET.owned',))
""",
    ends=("wrong",),
)

attack("returns something enormous", "wire", forward="return torch.zeros(1).expand(1 << 40)")

attack(
    "returns itself in a list",
    "wire",
    forward="""
loop = []
loop.append(loop)
return loop
""",
    ends=("wrong",),
)

attack(
    "returns nan, inf and odd text", "wire", forward="return {'\\x00\\ud800': float('nan'), 'b': [float('inf')] * 3}"
)


# ---- files, network, processes, privileges ----


attack(
    "writes into the course",
    "files",
    forward="""
open('COURSE' + '/owned.txt', 'w').write('x')
return x
""",
    ends=("wrong",),
)

attack(
    "overwrites a secret file",
    "files",
    forward="""
open('SECRET', 'w').write('owned')
return x
""",
    ends=("wrong",),
)

attack(
    "forges a result file",
    "files",
    forward="""
import atexit, json
f = lambda: json.dump({'score': 100}, open('results.json', 'w'))
atexit.register(f)
f()
return x
""",
)

attack(
    "fills the disk",
    "files",
    forward="""
n = 0
while True:
    open(f'big{n}', 'wb').write(b'x' * (32 << 20))
    n += 1
    if n > 40: break
return x
""",
)

attack(
    "makes a folder that is hard to delete",
    "files",
    forward="""
import os
for n in range(300):
    os.mkdir('d' * 100)
    os.chdir('d' * 100)
os.chmod('.', 0)
return x
""",
)

attack(
    "plants a module for the next worker",
    "files",
    forward="""
for name in ('torch', 'json', 'sitecustomize'):
    open(name + '.py', 'w').write('raise SystemExit')
return x
""",
)

attack(
    "connects to a listener",
    "network",
    forward="""
import socket
socket.create_connection(('127.0.0.1', PORT), 2).sendall(b'owned')
return x
""",
    ends=("wrong",),
)

attack(
    "sends a datagram",
    "network",
    forward="""
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'owned', ('127.0.0.1', PORT))
return x
""",
    ends=("wrong",),
)

attack(
    "signals every process",
    "processes",
    forward="""
import os, signal
try: os.kill(-1, signal.SIGKILL)
except OSError: pass
for pid in range(2, 5000):
    if pid != os.getpid():
        try: os.kill(pid, signal.SIGKILL)
        except OSError: pass
return x
""",
)

attack(
    "kills its parent",
    "processes",
    forward="""
import os, signal
os.kill(os.getppid(), signal.SIGKILL)
return x
""",
)

attack(
    "kills the grader",
    "processes",
    forward="""
import os, signal
os.kill(VICTIM, signal.SIGKILL)
return x
""",
)

attack(
    "stops its parent",
    "processes",
    forward="""
import os, signal
os.kill(os.getppid(), signal.SIGSTOP)
return x
""",
)

attack(
    "fork bomb",
    "processes",
    forward="""
import os
while True: os.fork()
""",
    ends=("crashed", "timed out", "wrong"),
)

attack(
    "leaves a daemon behind",
    "processes",
    forward="""
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.close(3)
        while True: time.sleep(1)
    os._exit(0)
return x
""",
)

attack(
    "thread bomb",
    "processes",
    forward="""
import threading, time
for _ in range(5000): threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
return x
""",
)

attack(
    "child answers in its place",
    "processes",
    forward="""
import os, time
if os.fork(): os._exit(0)
return x
""",
    ends=("wrong", "crashed"),
)

attack(
    "new user namespace",
    "privileges",
    forward="""
import ctypes
assert ctypes.CDLL(None).unshare(0x10000000) == 0, 'refused'
return x
""",
)

attack(
    "becomes root",
    "privileges",
    forward="""
import os
os.setresuid(0, 0, 0)
open('/etc/owned', 'w')
return x
""",
    ends=("wrong",),
)

attack(
    "traces its parent",
    "privileges",
    forward="""
import ctypes, os
assert ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0, 'refused'
return x
""",
    ends=("wrong",),
)

attack(
    "mounts",
    "privileges",
    forward="""
import ctypes
assert ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0, 'refused'
return x
""",
    ends=("wrong",),
)

attack(
    "lowers the limits of its parent",
    "privileges",
    forward="""
import os, resource
resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (0, 0))
return x
""",
    ends=("wrong",),
)


# ---- the notebook's text ----


# ---- the notebook's text ----

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
