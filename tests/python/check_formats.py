# SPDX-License-Identifier: GPL-3.0-or-later
"""check_formats.py doc/formats.md FILE.h5...: is every dataset, and every attribute of a group, of these files in the section of
its format, under its name?  A name there is a word in backquotes; X_error and X_leave_one_out go with an X whose row says
`error` or `leave_one_out`; /NAME stands for the columns of a table.  The row of a dataset must say its type and as many dimensions
as it has.  What is said of a checkpoint is the part "Those of `STAGE`"; parameters of a model are described with the model."""

import re
import sys

import h5py

COMMON = {"dimensions", "description"}


def sections(path):
    """Rows of the table, and text, of each section, by its first words: {"samples.h5": [lines]}."""
    found, name = {}, ""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("## "):
                name = line[3:].strip()
            found.setdefault(name, []).append(line)
    return found


def words(lines):
    """Last parts of the names in backquotes, with what is said beside them of errors."""
    result = set()
    for line in lines:
        cell = line.split("|")[1] if line.startswith("|") else line
        for quoted in re.findall(r"`([^`]*)`", cell):
            for word in quoted.split():
                last = re.sub(r"[{][^}]*[}]", "", word.rstrip(",")).split("/")[-1]
                result.add(last)
                rest = cell[cell.index(quoted):]
                if "error" in rest:
                    result.add(last + "_error")
                if "leave_one_out" in rest:
                    result.add(last + "_leave_one_out")
    return result


def stage(lines, name):
    """The part of a section that begins with "Those of `name`", and what is before the first of such parts."""
    found, inside = [], True
    for line in lines:
        if line.startswith("Those of `"):
            inside = line.startswith(f"Those of `{name}`")
        if inside:
            found.append(line)
    return found


TYPES = {"|u1": "u8", "<i4": "i32", "<u4": "u32", "<i8": "i64", "<u8": "u64", "<f8": "f64"}


def shapes(lines):
    """What rows say of each name: {"y": [("f64", {2, 3}), ...]}."""
    found = {}
    for line in lines:
        cells = line.split("|")
        if len(cells) < 5 or "[" not in cells[-2]:
            continue
        type_, ranks = "", set()
        for text in re.split(r",| or ", cells[-2]):
            type_ = (re.findall(r"\b[uif]\d+\b", text) or [type_])[0]
            optional = text.count("([")
            ranks |= {text.count("[") - optional, text.count("[")}
        for name in words([line]):
            found.setdefault(name, []).append((type_, ranks))
    return found


def main():
    text = sections(sys.argv[1])
    every = words(text["Every HDF5 file"])
    missing = set()
    for path in sys.argv[2:]:
        with h5py.File(path, "r") as file:
            kind = file.attrs["format"].decode()[4:]
            title = "checkpoint-" if kind == "checkpoint" else kind + ".h5"
            own = [lines for name, lines in text.items() if name.startswith(title)]
            if not own:
                missing.add(f"a section for {path}")
                continue
            if kind == "checkpoint":
                name = file.attrs["stage"].decode()
                also = {"train": "model.h5", "rbm": "rbm-flow.h5"}.get(name)
                own = [stage(own[0], name) + (text[also] if also else [])]
            known = words(own[0]) | every
            said_of = shapes(own[0])
            if kind == "rbm-flow":
                known |= {c + e for line in text["Tables (`*.tsv`)"] for c in re.findall(r"\w+", line) for e in ("", "_error")}

            def visit(name, thing):
                top = name.split("/")[0]
                if top in ("checksums", "seal"):
                    return
                said = re.sub(r"-\d+(?=/|$|_)", "-N", name)
                last = said.split("/")[-1]
                generic = {last, last.replace("depth-N", "depth-D"), last.replace("layer-N", "layer-N")}
                if isinstance(thing, h5py.Dataset) and not generic & known:
                    missing.add(f"{kind}: /{name}")
                elif isinstance(thing, h5py.Dataset) and kind != "rbm-flow":
                    rows = [row for name_ in generic for row in said_of.get(name_, [])]
                    if not any(TYPES[thing.dtype.str] == type_ and thing.ndim in ranks for type_, ranks in rows):
                        missing.add(f"{kind}: /{said} as {TYPES[thing.dtype.str]} of {thing.ndim} dimensions: {rows}")
                if isinstance(thing, h5py.Dataset) and not COMMON <= set(thing.attrs):
                    missing.add(f"{kind}: /{said}, which has no attributes description and dimensions")
                for attribute in set(thing.attrs) - COMMON - known:
                    missing.add(f"{kind}: attribute {attribute} of /{said}")

            visit("", file)
            file.visititems(visit)
    for name in sorted(missing):
        print(f"{sys.argv[1]} does not name {name}")
    return bool(missing)


sys.exit(main())
