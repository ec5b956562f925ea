import pytest
import torch

from utils.grade.sandbox import Limits, Sandbox

LIMITS = Limits(request_cpu=4, request_wall=12.0, total_cpu=30, total_wall=60.0, memory=1 << 30)


@pytest.fixture(scope="session", params=[pytest.param("bubblewrap", marks=pytest.mark.sandbox), "limits"])
def box(request):
    """A warm sandbox per isolation level; one zygote serves the whole session."""
    torch.set_num_threads(1)
    isolation = "limits" if request.param == "limits" else "required"
    with Sandbox(isolation, LIMITS) as made:
        assert made.mode == request.param
        yield made
