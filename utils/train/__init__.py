"""What every training run of the course shares: device, seeds, progress, files that are never half-written, metrics,
sweeps."""

from utils.train.command import command_line, run_command
from utils.train.device import best_device, usable_device
from utils.train.files import read_json, read_tensors, set_aside, write_json, write_tensors
from utils.train.interrupt import Interrupt
from utils.train.metrics import Metrics, read_metrics
from utils.train.optimizer import load_optimizer, optimizer_tensors
from utils.train.progress import progress_bar
from utils.train.seeds import generator, seed_everything
from utils.train.sweeps import spread

__all__ = [
    "Interrupt",
    "Metrics",
    "best_device",
    "command_line",
    "generator",
    "load_optimizer",
    "optimizer_tensors",
    "progress_bar",
    "read_json",
    "read_metrics",
    "read_tensors",
    "run_command",
    "seed_everything",
    "set_aside",
    "spread",
    "usable_device",
    "write_json",
    "write_tensors",
]
