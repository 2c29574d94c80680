#!/bin/sh
# What a new user does with the wheel: one line installs it, the tour runs, penstock explore serves. Nothing of the checkout is used.
set -eu
wheel=$(realpath "$1")
constraints=$(realpath constraints.txt)
folder=$(mktemp -d)
explore=
finish() {
    status=$?
    [ -z "$explore" ] || kill "$explore" 2>/dev/null || true
    [ -z "$explore" ] || wait "$explore" 2>/dev/null || true
    rm -rf "$folder"
    exit "$status"
}
trap finish EXIT
trap 'exit 1' INT TERM
"${PYTHON:-python3}" -m venv "$folder/venv"
bin=$folder/venv/bin
mkdir "$folder/home" "$folder/work"
unset PYTHONPATH XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME
export HOME="$folder/home" PATH="$bin:$PATH"
"$bin/python" --version
"$bin/python" -m pip --disable-pip-version-check --quiet install --no-compile --constraint "$constraints" "${wheel}[lab,torch]"
"$bin/python" -m pip check
cd "$folder/work"
penstock --version
penstock --help >/dev/null
"$bin/python" - <<'TOUR'
from importlib import resources

import nbformat
from IPython.core.interactiveshell import InteractiveShell

tour = nbformat.reads(resources.files("penstock.cli").joinpath("tour.ipynb").read_text(), as_version=4)
shell = InteractiveShell.instance()
for cell in tour.cells:
    if cell.cell_type == "code" and not shell.run_cell(cell.source).success:
        raise SystemExit(f"a cell of the tour failed:\n{cell.source}")
TOUR
penstock explore --no-browser >explore.log 2>&1 &
explore=$!
tries=240
until grep -q "the Explorer is at" explore.log; do
    tries=$((tries - 1))
    if [ "$tries" = 0 ] || ! kill -0 "$explore" 2>/dev/null; then
        cat explore.log
        echo "penstock explore did not start"
        exit 1
    fi
    sleep 0.5
done
"$bin/python" -c 'import re, sys, urllib.request; urllib.request.urlopen(re.search(r"http\S+", open("explore.log").read())[0])'
echo "the wheel works: installed, the tour run, penstock explore serving"
