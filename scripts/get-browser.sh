#!/bin/sh
# A Chromium for the browser tests: the system's, else apt as root, else Playwright's own. In CI there must be one.
set -u
bin=$1
"$bin/python" -m tests.ui.chromium >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing Chromium with apt ..."
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-dejavu-core; } >/dev/null 2>&1
fi
"$bin/python" -m tests.ui.chromium >/dev/null 2>&1 && exit 0
echo "installing Playwright's Chromium ..."
"$bin/playwright" install chromium >/dev/null 2>&1
"$bin/python" -m tests.ui.chromium >/dev/null 2>&1 && exit 0
if [ -n "${CI:-}" ]; then
    echo "no Chromium could be installed, and CI must not skip the browser tests"
    exit 1
fi
echo "############################################################################"
echo "# NO CHROMIUM FOUND: every browser test (tests/ui) WILL BE SKIPPED.        #"
echo "# Install one ('apt install chromium' or 'playwright install chromium').   #"
echo "############################################################################"
