"""Plain data, the only thing that crosses between a learner's code and a judge: JSON and safetensors, never pickle."""

import json
import math
import struct
from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np
import torch
from safetensors import serialize
from safetensors.torch import load, save

try:
    from safetensors import TensorSpec
except ImportError:  # before safetensors 0.8
    TensorSpec = None

MAX_BYTES = 16 * 2**20  # of one frame; the largest that a right answer needs has two megabytes
_LIKE_NUMPY = (torch.float32, torch.float64, torch.int64, torch.int32, torch.bool, torch.uint8)


class WireError(ValueError):
    """What was handed over is not plain data, or the frame is broken."""


def plain(value, where: str = "the result"):
    """A copy of `value` made of None, bool, int, float, str, list, tuple, dict and plain tensors only.

    Tensor subclasses (parameters, or one that answers yes to everything) become plain detached tensors, numpy
    values become tensors or numbers, namespaces become dicts. Raises WireError, naming the place, for anything else.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, torch.Tensor):
        if value.layout != torch.strided:
            value = value.to_dense()
        data = torch.Tensor.detach(value).cpu().clone(memory_format=torch.contiguous_format)
        return data.as_subclass(torch.Tensor) if type(data) is not torch.Tensor else data
    if isinstance(value, np.ndarray) and value.dtype != object:
        return torch.from_numpy(np.array(value, order="C"))
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (bool, int, float, str)):
        return next(kind(value) for kind in (bool, int, float, str) if isinstance(value, kind))
    if isinstance(value, (list, tuple)):
        items = [plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, SimpleNamespace):
        value = vars(value)
    if isinstance(value, Mapping):
        return {_key(key, where): plain(item, f"{where}[{key!r}]") for key, item in value.items()}
    raise WireError(f"{where} is a {type(value).__name__}, not plain data such as a tensor or a number")


def _key(key, where: str) -> str:
    if not isinstance(key, str):
        raise WireError(f"{where} is a dict with a key that is not text: {key!r}")
    return str(key)


def encode(value) -> bytes:
    """One frame's body: length of the JSON, the JSON, the tensors as safetensors."""
    tensors: dict[str, torch.Tensor] = {}

    def pack(item):
        if isinstance(item, torch.Tensor):
            tensors[str(len(tensors))] = item
            return {"t": str(len(tensors) - 1)}
        if isinstance(item, tuple):
            return {"u": [pack(part) for part in item]}
        if isinstance(item, list):
            return {"l": [pack(part) for part in item]}
        if isinstance(item, dict):
            return {"d": {key: pack(part) for key, part in item.items()}}
        if isinstance(item, float) and not math.isfinite(item):
            return {"f": repr(item)}
        return item

    text = json.dumps(pack(plain(value))).encode()
    return struct.pack(">Q", len(text)) + text + _tensors(tensors)


def _tensors(tensors: dict[str, torch.Tensor]) -> bytes:
    """`safetensors.torch.save` of tensors that `plain` has made contiguous and unshared, without looking again."""
    if TensorSpec is None or any(tensor.dtype not in _LIKE_NUMPY for tensor in tensors.values()):
        return save(tensors)
    specs = {}
    for name, tensor in tensors.items():
        kind, shape, size = str(tensor.dtype)[6:], list(tensor.shape), tensor.numel() * tensor.element_size()
        specs[name] = TensorSpec(dtype=kind, shape=shape, data_ptr=tensor.data_ptr(), data_len=size)
    return serialize(specs)


def decode(body: bytes):
    """The value of a frame's body. Raises WireError for anything that `encode` would not have written."""
    try:
        (length,) = struct.unpack(">Q", body[:8])
        if length > len(body) - 8:
            raise WireError("the frame is shorter than it says")
        tree = json.loads(body[8 : 8 + length])
        tensors = load(body[8 + length :])

        def unpack(item):
            if not isinstance(item, dict):
                if item is None or isinstance(item, (bool, int, float, str)):
                    return item
                raise WireError("a bare list is not part of the format")
            ((kind, inner),) = item.items()
            if kind == "t":
                return tensors[inner]
            if kind == "f" and inner in ("inf", "-inf", "nan"):
                return float(inner)
            if kind in "ul" and isinstance(inner, list):
                parts = [unpack(part) for part in inner]
                return tuple(parts) if kind == "u" else parts
            if kind == "d" and isinstance(inner, dict):
                return {key: unpack(part) for key, part in inner.items()}
            raise WireError(f"unknown tag {kind!r}")

        return unpack(tree)
    except WireError:
        raise
    except Exception as error:  # any malformed frame is one kind of error to the reader
        raise WireError(f"a broken frame: {type(error).__name__}") from None
