"""`python -m tests.bench.run_notebook FILE`: run a notebook, print its cells' seconds and its kernel's peak memory."""

import json
import sys
import time
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient


def peak_megabytes(process: psutil.Process) -> float:
    """Largest resident size so far of one process where the system keeps it, its present size elsewhere."""
    status = Path(f"/proc/{process.pid}/status")
    if status.is_file():
        return next(int(line.split()[1]) / 1000 for line in status.read_text().splitlines() if "VmHWM" in line)
    return process.memory_info().rss / 1e6


def main(file: str) -> int:
    notebook = nbformat.read(file, as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(Path(file).parent)}})
    start = time.perf_counter()
    with client.setup_kernel():
        started = time.perf_counter()
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        seconds = time.perf_counter() - started
        peak = peak_megabytes(psutil.Process(client.km.provisioner.pid))
    print(json.dumps({"seconds": seconds, "megabytes": peak, "kernel_start": started - start}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
