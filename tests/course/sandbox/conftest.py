import pytest
import torch

from utils.grade.sandbox import Limits, Sandbox

LIMITS = Limits(request_cpu=4, request_wall=12.0, total_cpu=30, total_wall=60.0, memory=1 << 30)


MODES = [pytest.param("bubblewrap", marks=pytest.mark.sandbox), "none"]


@pytest.fixture(scope="session")
def sandbox():
    """A warm sandbox for strangers' notebooks; one zygote serves the whole session."""
    torch.set_num_threads(1)
    with Sandbox("bubblewrap", LIMITS) as made:
        yield made


@pytest.fixture(scope="session")
def bare():
    """The same workers without isolation."""
    torch.set_num_threads(1)
    with Sandbox("none", LIMITS) as made:
        yield made


@pytest.fixture(params=MODES)
def box(request):
    """Either of the two."""
    return request.getfixturevalue("bare" if request.param == "none" else "sandbox")
