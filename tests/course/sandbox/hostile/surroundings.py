"""Files, and the network."""

from tests.course.sandbox.hostile.core import attack

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
    "calls the host of a virtual machine",
    "network",
    forward="""
import socket
try: socket.socket(getattr(socket, 'AF_VSOCK', 40), socket.SOCK_STREAM)
except OSError: return x
raise ValueError('lea' + 'ked')
""",
    ends=("wrong",),
)
