"""What every training run of the course shares: device, seeds, progress, files that are never half-written, metrics,
sweeps."""

from utils.command import parse_command, run_command
from utils.train.files import (
    Metrics,
    load_optimizer,
    optimizer_tensors,
    read_json,
    read_metrics,
    read_tensors,
    set_aside,
    write_json,
    write_tensors,
)
from utils.train.linear import Pointwise, pointwise
from utils.train.run import (
    Interrupt,
    best_device,
    command_line,
    generator,
    progress_bar,
    seed_everything,
    usable_device,
)
from utils.train.sweeps import spread
