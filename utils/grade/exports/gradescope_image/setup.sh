#!/usr/bin/env bash
# Run once by Gradescope, when the image is made: a Python of 3.11 or newer, the sandbox, and what grading needs.
set -euo pipefail
source_folder="${AUTOGRADER_HOME:-/autograder}/source"
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1

find_python() {
    for name in python3.13 python3.12 python3.11 python3; do
        if command -v "$name" >/dev/null && "$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

apt-get update
apt-get install -y --no-install-recommends bubblewrap python3-venv
python="$(find_python)"
if [ -z "$python" ]; then  # the image's own Python is older
    apt-get install -y --no-install-recommends python3.11 python3.11-venv
    python="$(find_python)"
fi
if [ -z "$python" ]; then
    echo "The course needs Python 3.11 or newer: choose a newer Ubuntu image for this assignment." >&2
    exit 1
fi

"$python" -m venv "$source_folder/venv"
cd "$source_folder/course"
"$source_folder/venv/bin/python" -m pip install --no-cache-dir -c constraints.txt @PACKAGES@
"$source_folder/venv/bin/python" -c 'import torch; print("torch", torch.__version__)'
