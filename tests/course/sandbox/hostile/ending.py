"""Ending, blocking and filling the worker."""

from tests.course.sandbox.hostile.core import at_definition, attack

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

attack(
    "memory in files without a name",
    "memory",
    forward="""
import os
for n in range(40):
    file = os.memfd_create(str(n))
    os.write(file, bytes(32 << 20))
raise ValueError('lea' + 'ked')
""",
    ends=("wrong",),
)

attack(
    "memory in System V segments",
    "memory",
    forward="""
import ctypes
libc = ctypes.CDLL(None)
segments = [libc.shmget(0, 64 << 20, 0o1600) for _ in range(60)]
if any(segment >= 0 for segment in segments): raise ValueError('lea' + 'ked')
return x
""",
    ends=("wrong",),
)

attack(
    "memory in processes of its own",
    "memory",
    forward="""
import os, subprocess, sys
for start in (os.fork, lambda: subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'])):
    try: start()
    except OSError: continue
    raise ValueError('lea' + 'ked')
return x
""",
    ends=("wrong",),
)
