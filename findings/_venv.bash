# What every script here begins with: `. _venv.bash PACKAGE==VERSION...` installs the packages into a
# venv in a temporary folder that goes at the end, and makes that folder the working directory.
# shellcheck shell=bash
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -q --no-compile --disable-pip-version-check "$@"
cd "$work"
export PATH="$work/venv/bin:$PATH" TF_CPP_MIN_LOG_LEVEL=3
