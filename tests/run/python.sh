# SPDX-License-Identifier: GPL-3.0-or-later
# A Python for tests, to be sourced after lib.sh.

# find_python [MODULE]...: set python to an interpreter that has them, and let it import vrg; or skip the whole test.
find_python() {
  local modules
  modules=$(IFS=,; echo "${*:-sys}")
  for python in "${VRG_PYTHON:-python3}" /usr/bin/python3; do
    "$python" -c "import $modules" 2>/dev/null && break
  done
  "$python" -c "import $modules" 2>/dev/null || { echo "1..0 # SKIP no Python with $*"; exit 0; }
  export PYTHONPATH=$srcdir/python${PYTHONPATH:+:$PYTHONPATH} PYTHONDONTWRITEBYTECODE=1 MPLCONFIGDIR=$work/matplotlib
}
