"""The old place of what utils.chapter holds now."""

from utils.chapter import is_stub, stub_source  # noqa: F401
