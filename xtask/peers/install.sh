#!/bin/sh
# `cargo xtask peers --install`: fetches the programs that the peers need, into the folder $1 where
# that is possible. It fails without Python's packages or promtool, which most checks need; others
# say themselves what they miss.
set -eu
folder=$1

# Packages that have to be installed, because they need files of the system beside them.
for program in tmux prometheus-alertmanager chromium; do
    if [ ! -e "/usr/bin/$program" ]; then
        apt-get update --quiet || true # a new machine has no package lists
        apt-get install --quiet --yes --no-install-recommends "$program" || true
    fi
done

# Python with exactly the packages of requirements.txt.
[ -e "$folder/python/bin/python" ] || python3 -m venv "$folder/python"
"$folder/python/bin/python" -m pip install --quiet --disable-pip-version-check \
    --requirement xtask/peers/requirements.txt

# Debian's prometheus, unpacked instead of installed, so that no service starts.
if [ ! -e /usr/bin/promtool ] && [ ! -e "$folder/prometheus/usr/bin/promtool" ]; then
    apt-get update --quiet || true
    (cd "$folder" && apt-get download prometheus && dpkg-deb --extract prometheus_*.deb prometheus)
    rm "$folder"/prometheus_*.deb
fi

# Looks for what keeps people out of a page; without npm, pages are checked without it.
if [ ! -e "$folder/node/node_modules/axe-core/axe.min.js" ]; then
    npm install --silent --no-audit --no-fund --prefix "$folder/node" axe-core@4.14.1 || true
fi
