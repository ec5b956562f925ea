"""Forging the verdict inside the process."""

from tests.course.sandbox.hostile.core import at_definition, attack

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
