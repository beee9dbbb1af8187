# What the stages share: each starts with this file, which takes it to the folder of the checkout.
# "$work" is a folder for what it builds; .ci/run hands one to each, and one that is run by itself makes its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PYTHONPATH
if [ -z "${work:-}" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi

step() { printf '\n=== %s (%d s)\n' "$*" "$SECONDS"; }

# The path of Python $1. A python3.x on PATH may be a shim that runs none.
find_python() {
    local candidate
    for candidate in $(type -ap "python$1") "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions/$1".*/bin/python; do
        if "$candidate" -c "import ssl, sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2> /dev/null; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

# Make python3 Python $1, in a fresh virtual environment; where it is not here, whichever python3 is.
use_python() {
    local python folder
    if ! python=$(find_python "$1"); then
        python=$(command -v python3)
        echo "Python $1 not found: not tested; $("$python" --version) stands in"
    fi
    folder=$(mktemp -d "$work/python.XXXXXX")
    "$python" -m venv "$folder"
    export PATH="$folder/bin:$PATH"
    python3 --version
}

# The requirements of an extra, of a build, or of the package where none is named, one a line.
requirements() {
    python3 - "${1:-}" <<'PYTHON'
import sys, tomllib
settings = tomllib.load(open("pyproject.toml", "rb"))
project, build = settings["project"], settings["build-system"]["requires"]
print(*{"": project["dependencies"], "build": build, **project["optional-dependencies"]}[sys.argv[1]], sep="\n")
PYTHON
}
