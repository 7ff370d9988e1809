#!/bin/sh
# sh bootstrap.sh PYTHON VENV [EXTRAS]
# Makes the virtual environment VENV with PYTHON, unless it is there and works, and installs iomsim
# into it, editable, with the extras (comma-separated). Says what is missing if it cannot.
set -eu
python=$1
venv=$2
extras=${3:-}

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

works() { "$venv/bin/python" -m pip --version >/dev/null 2>&1; }

# Only what is a virtual environment, or nothing yet, may be swept away.
sweep() {
    [ ! -e "$venv" ] || [ -e "$venv/pyvenv.cfg" ] || fail "$venv is there but is no virtual environment: move it, or choose another, as in: make VENV=.venv2"
    rm -rf "$venv"
}

# Four ways to an environment with pip in it, the usual one first.
with_venv() { "$python" -c 'import ensurepip' && "$python" -m venv "$venv"; }
with_uv() { uv venv --seed --python "$python" "$venv"; }
with_virtualenv() { "$python" -m virtualenv "$venv"; }
with_system_pip() {
    "$python" -m pip --version && "$python" -m venv --without-pip "$venv" &&
        "$python" -m pip --python "$venv/bin/python" install pip
}

make_environment() {
    for way in with_venv with_uv with_virtualenv with_system_pip; do
        sweep
        if "$way" >/dev/null 2>&1 && works; then
            return 0
        fi
    done
    sweep
    return 1
}

if ! works; then
    command -v "$python" >/dev/null 2>&1 ||
        fail "There is no $python here. On Debian or Ubuntu: sudo apt-get install -y python3 python3-venv"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "iomsim needs Python 3.11 or later, and $python is $("$python" -V 2>&1)." \
            "If a later one is installed, name it, as in: make PYTHON=python3.12"
    case $(basename "$python") in
    python3.*) package=$(basename "$python")-venv ;;
    *) package=python3-venv ;;
    esac
    echo "making the virtual environment $venv" >&2
    make_environment ||
        fail "$python can make no virtual environment: it has neither venv nor pip." \
            "On Debian or Ubuntu: sudo apt-get install -y $package   and then make again."
fi

echo "installing iomsim into $venv (a minute or two the first time)" >&2
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".${extras:+[$extras]}"
