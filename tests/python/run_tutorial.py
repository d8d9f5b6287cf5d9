# SPDX-License-Identifier: GPL-3.0-or-later
"""run_tutorial.py TUTORIAL.md [--until HEADING] [--write]: run the commands of its console blocks, in order and in one shell in the
working directory, and compare what they print with what is shown; prints TAP.

In a block a line `$ COMMAND` is run, together with the lines `> ...` after it; the lines up to the next command are what is shown of
its output, standard error too.  There `...` alone stands for any lines.  Words must be equal; numbers to 1e-6 of their size, or to the
digits shown (estimates are the same bits on one type of processor only); times, rates, sizes of memory and names of hosts may differ.
--until: stop before the section of this heading.  --write: put the real output into the file, in place of all but `...` alone."""

import re
import subprocess
import sys

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$")
MASKED = re.compile(r"[\d.:]+ ?(?:flips/ns|samples/s|updates/s|MiB|GiB|KiB|kB|MB|GB|ms|us|s|min|h)\b"
                    r"|\d+:\d\d:\d\d|\d{4}-\d\d-\d\d\S*|version: \S+|commit: \S+|host: \S+|vrg \d+\.\d+\S*")


def blocks(lines, until):
    """Commands: (heading, text, number of the first line of output, number of the line after it)."""
    heading, inside, found = "", False, []
    for n, line in enumerate(lines):
        if line.startswith("```"):
            inside = line.startswith("```console")
        elif line.startswith("## "):
            heading = line[3:]
            if until and heading == until:
                return found
        elif inside and line.startswith("$ "):
            found.append([heading, line[2:], n + 1, n + 1])
        elif inside and line.startswith(">") and found[-1][3] == n:
            found[-1][1] += "\n" + line[2:]
            found[-1][2] = found[-1][3] = n + 1
        elif inside:
            found[-1][3] = n + 1
    return found


def close(shown, real):
    """Is a word as it should be?"""
    if shown == real:
        return True
    if not (NUMBER.match(shown) and NUMBER.match(real)):
        return False
    a, b = float(shown), float(real)
    digits = len(shown.split("e")[0].partition(".")[2])
    exponent = int(shown.lower().partition("e")[2] or 0)
    return abs(a - b) <= max(1e-6 * abs(a), 1.01 * 10.0 ** (exponent - digits) if "." in shown else 0)


def equal(shown, real):
    shown, real = (re.split(r"[\s,;()]+", MASKED.sub("*", line).strip()) for line in (shown, real))
    return len(shown) == len(real) and all(map(close, shown, real))


def difference(shown, real):
    """The first line of `shown` that `real` does not have where it should; None if all is as it should be."""
    at, free = 0, False
    for line in shown:
        if line == "...":
            free = True
            continue
        while free and at < len(real) and not equal(line, real[at]):
            at += 1
        if at >= len(real) or not equal(line, real[at]):
            return f"shown: {line}\n# found: {real[at] if at < len(real) else 'the end'}"
        at, free = at + 1, False
    return None if free or at == len(real) else f"shown: the end\n# found: {real[at]}"


def main():
    arguments = sys.argv[1:]
    write = "--write" in arguments and not arguments.remove("--write")
    until = arguments[arguments.index("--until") + 1] if "--until" in arguments else None
    with open(arguments[0], encoding="utf-8") as file:
        lines = file.read().split("\n")
    shell = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    shift = 0
    commands = blocks(lines, until)
    if until and not any(line == "## " + until for line in lines) or not commands:
        print(f"not ok 1 - {arguments[0]} has commands, and a section {until}")
    for number, (heading, text, first, last) in enumerate(commands, 1):
        shell.stdin.write(f"{{ {text}\n}} </dev/null\necho \"[status $?]\"\n")
        shell.stdin.flush()
        real = []
        for line in shell.stdout:
            if line.endswith("]\n") and "[status " in line:
                start = line.index("[status ")
                status = line[start:].strip()
                real += [line[:start]] if start else []
                break
            real.append(line.rstrip("\n"))
        shown = lines[first + shift:last + shift]
        wrong = difference(shown, real)
        if write and shown != ["..."]:
            lines[first + shift:last + shift] = real
            shift += len(real) - len(shown)
        print(f"{'not ok' if wrong else 'ok'} {number} - {heading}: {text.splitlines()[0]}" + (f"\n# {wrong}\n# {status}" if wrong else ""),
              flush=True)
    shell.stdin.close()
    shell.wait()
    print(f"1..{len(commands)}")
    if write:
        with open(arguments[0], "w", encoding="utf-8") as file:
            file.write("\n".join(lines))


main()
