#!/usr/bin/env bash
# Gradescope runs this as root, once, when it builds the autograder's image.
set -euo pipefail
autograder=$(cd "$(dirname "$0")/.." && pwd)
course=$autograder/source/course

apt-get update
apt-get install -y python3 python3-venv
# A container that lets programs make namespaces gets the sandbox.
apt-get install -y bubblewrap || true
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    apt-get install -y python3.11 python3.11-venv
fi
python=$(command -v python3.13 || command -v python3.12 || command -v python3.11 || echo python3)

"$python" -m venv "$autograder/python"
pip="$autograder/python/bin/python -m pip install --quiet --disable-pip-version-check"
$pip --upgrade pip
torch_index=$(cat "$autograder/source/torch_index")
$pip ${torch_index:+--index-url "$torch_index"} "$(grep '^torch==' "$course/requirements.txt")"
$pip -r "$course/requirements.txt"

# Students' code runs as another user: it may read its own Python, and nothing else of this.
chmod -R go= "$autograder/source"
umask 077
mkdir -p "$autograder/results"
chmod go= "$autograder/results"
cd "$course"
"$autograder/python/bin/python" -m ddpg_helpers.instructor.course.gradescope.run --prepare
chmod go+x "$autograder/source" "$course" "$course/.cache"
chmod -R go+rX "$course/.cache/student"
