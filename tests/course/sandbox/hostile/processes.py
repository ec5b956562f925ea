"""Other processes, and more rights than were given."""

from tests.course.sandbox.hostile.core import attack

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
