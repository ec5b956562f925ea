"""The wire between worker and grader: junk, floods, forgeries."""

from tests.course.sandbox.hostile.core import WIRE, at_definition, attack

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

attack("returns a tensor without data", "wire", forward="return torch.empty(x.shape, device='meta')", ends=("wrong",))

attack("raises an enormous message", "wire", forward="raise ValueError('x' * 200_000_000)", ends=("wrong",))

attack(
    "becomes another program that holds the wire",
    "wire",
    forward="""
import os, sys
os.set_inheritable(3, True)
os.execv(sys.executable, [sys.executable, '-I', '-S', '-c', 'import os; os.write(3, bytes(8) * 1000)'])
""",
    ends=("crashed",),
)

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

REFUSED = """
import json
text = json.dumps({'d': {'ok': False, 'refused': 'no seccomp here'}}).encode()
body = len(text).to_bytes(8, 'big') + text + (2).to_bytes(8, 'little') + b'{}'
wire.sendall(len(body).to_bytes(8, 'big') + body)
"""
attack("says that it was refused", "wire", forward=WIRE + REFUSED + "return x", ends=("wrong", "crashed"))
at_definition("says at once that it was refused", "wire", WIRE + REFUSED, ends=("wrong", "crashed"))
