"""Stealing the answer, or what the grader holds."""

from tests.course.sandbox.hostile.core import attack

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
