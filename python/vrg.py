#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what VRG writes: samples, models, flows, checkpoints and tables as NumPy arrays.

One file, which needs NumPy and h5py (Debian: python3-numpy, python3-h5py); pandas only for frame().  Copy it beside
your script, or add its directory to PYTHONPATH.  doc/formats.md says what every dataset is.

    import vrg
    run = vrg.open("quickstart-run")        # a run directory, or one of its files
    run.samples.ensembles                   # [Ensemble(nn=0.4), ...]
    e = run.samples.ensemble("critical")    # or a coupling, or a number from 0
    e.spins[0:100]                          # int8 array of +1 and -1, [sample, row, column]; reads these alone
    e.energy, e.magnetisation               # series: per site, as in sample.tsv
    run.model.layers[0].images()            # filters, or weights of hidden units, as images
    run.flow.rule("critical", "majority").even["y"]      # any dataset of flow.h5 by name
    run.table("exponents")                  # a structured array: t["y"][t["rule"] == "learnt"]
    vrg.verify("quickstart-run/flow.h5")    # checksums and seal, as `vrg info` does; ValueError if damaged

`python3 vrg.py DIR [--verify]` prints a summary.

>>> unpack(numpy.array([[0b101, 1]], dtype="<u8"), 66)[0, [0, 1, 2, 3, 64, 65]]
array([ 1, -1,  1, -1,  1, -1], dtype=int8)
>>> math.isclose(CRITICAL[2], 0.44068679350977151)
True
"""

import builtins
import math
import os
import re
import sys

import h5py
import numpy

CRITICAL = {2: math.log(1 + math.sqrt(2)) / 2, 3: 0.221654626}
"""The coupling that inputs call `critical`, by dimension."""

FORMATS = {
    "vrg-samples": (2,), "vrg-model": (2,), "vrg-learnt": (1,), "vrg-spectrum": (1,), "vrg-flow": (2,),
    "vrg-rbm-flow": (1,), "vrg-checkpoint": (1,),
}
"""The formats, and the versions of them, that this module reads."""


# ---------------------------------------------------------------- bits and blocks

def unpack(words, columns):
    """Spins +1 and -1 (int8) of bit-packed rows: [..., word] -> [..., column]."""
    bytes_ = numpy.ascontiguousarray(words, dtype="<u8").view(numpy.uint8)
    return 2 * numpy.unpackbits(bytes_, axis=-1, count=columns, bitorder="little").astype(numpy.int8) - 1


def blocks(spins, scale, dimension=2):
    """Views of lattices cut into blocks: the last axis of the result runs over the sites of a block, row by row.

    >>> blocks(numpy.arange(16).reshape(1, 4, 4), 2)[0, 0, 1]
    array([2, 3, 6, 7])
    """
    sides = spins.shape[-dimension:]
    if any(side % scale for side in sides):
        raise ValueError(f"sides {sides} are no multiples of {scale}")
    lead = spins.shape[:-dimension]
    cut = spins.reshape(lead + tuple(n for side in sides for n in (side // scale, scale)))
    k = len(lead)
    order = list(range(k)) + [k + 2 * d for d in range(dimension)] + [k + 2 * d + 1 for d in range(dimension)]
    return cut.transpose(order).reshape(lead + tuple(side // scale for side in sides) + (scale ** dimension,))


def majority(spins, scale, dimension=2):
    """Block spins by majority: +1, -1, or 0 for a tie (the program draws those: the flow of an even scale has other bits)."""
    return numpy.sign(blocks(spins, scale, dimension).sum(axis=-1, dtype=numpy.int64)).astype(numpy.int8)


def decimation(spins, scale, dimension=2):
    """Block spins by decimation: the first site of each block."""
    return blocks(spins, scale, dimension)[..., 0]


# ---------------------------------------------------------------- any file

def _text(value):
    return value.decode() if isinstance(value, bytes) else value


def attributes(thing):
    """Attributes of an h5py object as a dict of str, int and float."""
    return {name: _text(value) if isinstance(value, (bytes, str)) else value.item()
            for name, value in thing.attrs.items()}


class Group:
    """A group of a file: group["name"] is a dataset as an array or, if it is one, a Group; names() lists them.

    attributes  the group's attributes, a dict
    operators   the names in its attribute `operators`, or []
    """

    def __init__(self, group):
        self._group = group
        self.attributes = attributes(group)
        self.operators = self.attributes.get("operators", "").split()

    def names(self):
        return list(self._group)

    def __contains__(self, name):
        return name in self._group

    def __getitem__(self, name):
        if name not in self._group:
            raise KeyError(f"{self._group.file.filename}: no {name} in {self._group.name}: {', '.join(self._group)}")
        thing = self._group[name]
        return Group(thing) if isinstance(thing, h5py.Group) else thing[()]

    def about(self, name):
        """What a dataset is: (its description, the names of its dimensions)."""
        found = attributes(self._group[name])
        return found.get("description", ""), found.get("dimensions", "").split()

    def __repr__(self):
        return f"{type(self).__name__}({self._group.name})"


class File(Group):
    """A file of a run.

    path        its name
    format      "vrg-samples", ...
    parameters  the input keys that determine its content, {"lattice.size": "64 64", ...}
    provenance  who made it with what: version, commit, command, date, host, ranks, libraries
    """

    def __init__(self, path):
        try:
            file = h5py.File(path, "r")
        except OSError as error:
            raise OSError(f"{path}: cannot be read: {error}") from error
        super().__init__(file)
        self.path = os.fspath(path)
        self.format = self.attributes.get("format", "")
        version = self.attributes.get("format_version")
        if version not in FORMATS.get(self.format, ()):
            file.close()
            raise ValueError(f"{path}: format {self.format or 'unknown'}, version {version}: not one that this reads")
        lines = (line.split(" = ", 1) for line in self.attributes.get("fingerprint", "").splitlines() if " = " in line)
        self.parameters = {key: value for key, value in lines}
        self.provenance = attributes(file["provenance"]) if "provenance" in file else {}

    def close(self):
        self._group.file.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def __repr__(self):
        return f"{type(self).__name__}({self.path!r})"


def _find(things, key, dimension, path):
    """The one of `things` with a coupling: its number from 0, its nn, or `critical`."""
    if isinstance(key, (int, numpy.integer)):
        return things[key]
    nn = CRITICAL.get(dimension, math.nan) if key == "critical" else float(key)
    for thing in things:
        if math.isclose(thing.nn, nn, rel_tol=1e-12):
            return thing
    raise KeyError(f"{path}: no ensemble at nn = {nn}: {', '.join(str(thing.nn) for thing in things)}")


# ---------------------------------------------------------------- samples

class Spins:
    """Configurations, unpacked when they are asked for: spins[i], spins[a:b:c], spins[i, rows, columns] with one number or
    slice (or list of numbers, rising) for the sample; int8 +1 and -1, [sample] and the sides of the lattice, slowest first."""

    dtype = numpy.dtype(numpy.int8)

    def __init__(self, dataset, size):
        self._dataset = dataset
        self.packed = dataset
        self.shape = (dataset.shape[0],) + tuple(size)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, index):
        index = index if isinstance(index, tuple) else (index,)
        sample = index[0]
        if isinstance(sample, (int, numpy.integer)):
            if not -len(self) <= sample < len(self):
                raise IndexError(f"sample {sample} of {len(self)}")
            sample = sample % len(self)
        words = self._dataset[sample]
        spins = unpack(words, self.shape[-1])
        spins = spins.reshape(words.shape[:-2] + self.shape[1:])
        rest = (slice(None),) * (words.ndim - 2) + index[1:]
        return spins[rest] if index[1:] else spins

    def __array__(self, dtype=None):
        return self[:] if dtype is None else self[:].astype(dtype)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __repr__(self):
        return f"Spins(shape={self.shape})"


class Ensemble(Group):
    """All configurations at one coupling; sample = time * chains + chain.

    nn                    the coupling
    spins                 Spins
    bonds, magnetisation  series: the sum of s s' over the bonds, and that of s (int64 [sample])
    energy, m             per site: -bonds / N and magnetisation / N (float64 [sample])
    even, fourier         further series, where the file has them
    chain(i)              numbers of the samples of a chain, in the order of time
    """

    def __init__(self, group, samples):
        super().__init__(group)
        self.nn = self.attributes["nn"]
        self.spins = Spins(group["spins"], samples.size)
        self._sites, self._chains = samples.sites, samples.chains

    def __getattr__(self, name):
        if name in ("bonds", "magnetisation", "even", "fourier") and name in self:
            return self[name]
        raise AttributeError(name)

    @property
    def energy(self):
        return -self["bonds"] / self._sites

    @property
    def m(self):
        return self["magnetisation"] / self._sites

    def chain(self, i):
        return numpy.arange(i, len(self.spins), self._chains)

    def __len__(self):
        return len(self.spins)

    def __repr__(self):
        return f"Ensemble(nn={self.nn})"


class Samples(File):
    """samples.h5: size (sides, slowest first), dimension, sites, chains, ensembles."""

    def __init__(self, path):
        super().__init__(path)
        self.dimension = self.attributes["dimension"]
        self.size = tuple(self.attributes[f"size_{d}"] for d in range(self.dimension))
        self.sites, self.chains = math.prod(self.size), self.attributes["chains"]
        self.ensembles = [Ensemble(self._group[f"ensemble-{e:03d}"], self) for e in range(self.attributes["ensembles"])]

    def ensemble(self, key):
        """By number from 0, by nn, or `critical`."""
        return _find(self.ensembles, key, self.dimension, self.path)


# ---------------------------------------------------------------- models

class Layer(Group):
    """One machine, E = -a.v - b.h - v W h, units +1 and -1.

    type                        "dense" or "convolution"
    weights                     dense [hidden][visible], convolution [filter][row][column]
    visible_bias, hidden_bias   a and b
    visible                     its visible lattice, (rows, columns)
    filter, stride              of a convolution
    """

    def __init__(self, group):
        super().__init__(group)
        self.type = self.attributes["type"]
        self.visible = self.attributes["rows"], self.attributes["columns"]
        self.filter, self.stride = self.attributes["filter"], self.attributes["stride"]
        self.weights, self.visible_bias, self.hidden_bias = (
            self[name] for name in ("weights", "visible_bias", "hidden_bias"))

    def images(self):
        """Filters, or the weights of each hidden unit on the visible lattice: [filter or unit][row][column]."""
        return self.weights if self.type == "convolution" else self.weights.reshape((-1,) + self.visible)

    def fields(self, v):
        """Local fields of the hidden units, b + W v.  v: [..., row, column] (dense: also [..., visible]); gives [..., hidden],
        or [..., filter, row, column] of the hidden lattice."""
        v = numpy.asarray(v)
        if self.type == "dense":
            if v.shape[-1] != self.weights.shape[1]:
                v = v.reshape(v.shape[:-2] + (-1,))
            return v @ self.weights.T + self.hidden_bias
        rows, columns = self.visible
        if v.shape[-2:] != self.visible:
            v = v.reshape(v.shape[:-1] + self.visible)
        back = (self.filter - self.stride) // 2 if self.filter >= self.stride else -((self.stride - self.filter) // 2)
        down = 1 if rows == 1 else self.stride
        total = numpy.zeros(v.shape[:-2] + (len(self.weights), rows // down, columns // self.stride))
        for dy in range(self.weights.shape[1]):
            for dx in range(self.filter):
                y = numpy.arange(0, rows, down) + (0 if rows == 1 else dy - back)
                x = numpy.arange(0, columns, self.stride) + dx - back
                seen = v[..., (y % rows)[:, None], x % columns]
                total += self.weights[:, dy, dx][:, None, None] * seen[..., None, :, :]
        return total + self.hidden_bias[:, None, None]

    def __repr__(self):
        return f"Layer({self.type}, {self.weights.shape[0]} hidden, {self.visible[0]}x{self.visible[1]} visible)"


class Model(File):
    """model.h5: layers, the lowest first; nn, the couplings it was trained on."""

    def __init__(self, path):
        super().__init__(path)
        self.layers = [Layer(self._group[f"layer-{n + 1}"]) for n in range(self.attributes["layers"])]
        self.nn = self["nn"]


# ---------------------------------------------------------------- flows

class Rule(Group):
    """What a block rule did at one coupling: nn, name; even, odd and couplings are Groups of arrays by level."""

    def __init__(self, group, nn):
        super().__init__(group)
        self.nn, self.name = nn, self.attributes["rule"]

    even, odd, couplings = (property(lambda self, part=part: self[part]) for part in ("even", "odd", "couplings"))

    def __repr__(self):
        return f"Rule({self.name}, nn={self.nn})"


class Flow(File):
    """flow.h5: levels, scale, rules; rule("critical", "majority").even["stability"]."""

    def __init__(self, path):
        super().__init__(path)
        self.levels, self.scale = self.attributes["levels"], self.attributes["scale"]
        self.rules = []
        for e in range(self.attributes["ensembles"]):
            ensemble = self._group[f"ensemble-{e:03d}"]
            self.rules += [Rule(ensemble[name], attributes(ensemble)["nn"]) for name in ensemble]

    def rule(self, key, name):
        """By number of the ensemble from 0, nn or `critical`; and the rule's name."""
        found = [rule for rule in self.rules if rule.name == name]
        if not found:
            raise KeyError(f"{self.path}: no rule {name}: {', '.join(sorted({rule.name for rule in self.rules}))}")
        return _find(found, key, self.attributes["dimension"], self.path)


class Checkpoint(File):
    """checkpoint-STAGE.N.h5: stage, step, total; its arrays by name."""

    def __init__(self, path):
        super().__init__(path)
        self.stage, self.step, self.total = (self.attributes[name] for name in ("stage", "step", "total"))


# ---------------------------------------------------------------- tables

def table(path):
    """A table (*.tsv) as a structured array: a field for each column, of int64, float64 or text."""
    with builtins.open(path, encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines if not line.startswith("#")]
    if not rows:
        raise ValueError(f"{path}: no table: it has no line of column names")
    names, cells = rows[0], rows[1:]
    if any(len(row) != len(names) for row in cells):
        raise ValueError(f"{path}: a row does not have {len(names)} cells")
    columns = []
    for k in range(len(names)):
        texts = [row[k] for row in cells]
        for kind in (numpy.int64, numpy.float64, numpy.str_):
            try:
                columns.append(numpy.array(texts, dtype=kind) if texts else numpy.empty(0))
                break
            except (ValueError, OverflowError):
                continue
    result = numpy.empty(len(cells), dtype=[(name, column.dtype) for name, column in zip(names, columns)])
    for name, column in zip(names, columns):
        result[name] = column
    return result


def frame(path):
    """A table as a pandas DataFrame."""
    import pandas
    return pandas.read_csv(path, sep="\t", comment="#")


# ---------------------------------------------------------------- a run

_KINDS = {"vrg-samples": Samples, "vrg-model": Model, "vrg-flow": Flow, "vrg-checkpoint": Checkpoint}


class Run:
    """A run directory: samples, model and flow are opened when they are asked for.

    files, tables   names of what is there
    table(name)     a table, with or without `.tsv`; frame(name): the same as a pandas DataFrame
    file(name)      any other file: learnt.h5, spectrum.h5, rbm-flow.h5, checkpoints
    """

    def __init__(self, directory):
        self.directory = os.fspath(directory)
        names = sorted(os.listdir(directory))
        self.files = [name for name in names if name.endswith(".h5")]
        self.tables = [name[:-4] for name in names if name.endswith(".tsv")]
        if not self.files and not self.tables:
            raise FileNotFoundError(f"{directory}: holds no files of a run")
        self._open = {}

    def file(self, name):
        if name not in self._open:
            self._open[name] = open(os.path.join(self.directory, name))
        return self._open[name]

    samples = property(lambda self: self.file("samples.h5"))
    model = property(lambda self: self.file("model.h5"))
    flow = property(lambda self: self.file("flow.h5"))
    checkpoints = property(lambda self: [self.file(name) for name in self.files if name.startswith("checkpoint-")])

    def _table(self, name):
        return os.path.join(self.directory, name if name.endswith(".tsv") else name + ".tsv")

    def table(self, name):
        return table(self._table(name))

    def frame(self, name):
        return frame(self._table(name))

    def close(self):
        for file in self._open.values():
            file.close()
        self._open = {}

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def __repr__(self):
        return f"Run({self.directory!r})"


def open(path):
    """A run directory as a Run; a file as Samples, Model, Flow, Checkpoint or File; a table as an array."""
    if os.path.isdir(path):
        return Run(path)
    if os.fspath(path).endswith(".tsv"):
        return table(path)
    file = File(path)
    kind = _KINDS.get(file.format)
    if kind is None:
        return file
    file.close()
    return kind(path)


# ---------------------------------------------------------------- checksums

def _sums(data, block=1 << 20):
    """Checksums of a text of bytes, one for each `block` of it: doc/formats.md, Checksums."""
    words = numpy.frombuffer(data + b"\0" * (-len(data) % 8), dtype="<u8")
    with numpy.errstate(over="ignore"):
        z = words + (numpy.arange(1, len(words) + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15))
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z ^= z >> numpy.uint64(31)
        return numpy.add.reduceat(z, numpy.arange(0, len(z), block // 8)) if len(z) else z


def _seal(file):
    """The sum over names, shapes and attributes."""
    types = ["|u1", "<i4", "<u4", "<i8", "<u8", "<f8"]
    text = []

    def visit(name, thing):
        if re.match(r"(checksums|seal|provenance)(/|$)", name):
            return
        text.append(b"/" + name.encode() + b"\0")
        if isinstance(thing, h5py.Dataset):
            shape = thing.shape + (0,) * (4 - thing.ndim)
            text.append(numpy.array([types.index(thing.dtype.str), thing.ndim, *shape], dtype="<i8").tobytes())
        for key in sorted(thing.attrs):
            id_ = thing.attrs.get_id(key)
            value = numpy.empty((), dtype=id_.dtype)
            id_.read(value)
            head = numpy.array([id_.get_type().get_class(), id_.get_type().get_size()], dtype="<i8")
            text.append(key.encode() + b"\0" + head.tobytes() + value.tobytes())

    visit("", file)
    file.visititems(visit)
    data = b"".join(text)
    total = int(_sums(data, block=len(data) + 8 - len(data) % 8)[0])
    return total or 1


def verify(path):
    """Recompute every checksum and the seal of a file; ValueError names what is damaged.  Returns the number of datasets.
    A dataset is read whole: `vrg info` needs less memory and is faster."""
    with h5py.File(path, "r") as file:
        if "seal" not in file or int(file["seal"][0]) == 0:
            raise ValueError(f"{path}: not sealed: it was not finished")
        if int(file["seal"][0]) != _seal(file):
            raise ValueError(f"{path}: a name, shape or attribute is damaged")
        stored = []
        file.visititems(lambda name, thing: stored.append(name) if isinstance(thing, h5py.Dataset) and thing.size > 0
                        and name.split("/")[0] not in ("checksums", "seal", "provenance") else None)
        for name in stored:
            if name not in file.get("checksums", ()):
                raise ValueError(f"{path}: dataset /{name} has no checksums")
            if not numpy.array_equal(_sums(file[name][()].tobytes()), file["checksums"][name][()]):
                raise ValueError(f"{path}: dataset /{name} is damaged")
        return len(stored)


def provenance(path):
    """Who made a file with what, a dict."""
    with File(path) as file:
        return file.provenance


# ---------------------------------------------------------------- summary

def _describe(file):
    if isinstance(file, Samples):
        sides = "x".join(map(str, file.size))
        yield f"{sides} lattice, {file.attributes['algorithm']}, {file.attributes['samples']} configurations of " \
              f"{file.chains} chains at each of"
        for e in file.ensembles:
            yield f"  nn = {e.nn:.10g}: energy {e.energy.mean():.6f}, <|m|> {abs(e.m).mean():.6f}"
    elif isinstance(file, Model):
        yield "trained at nn = " + " ".join(f"{nn:.10g}" for nn in file.nn)
        for n, layer in enumerate(file.layers, 1):
            yield f"  layer {n}: {layer.type}, weights {'x'.join(map(str, layer.weights.shape))}, visible " \
                  f"{layer.visible[0]}x{layer.visible[1]}, {layer.attributes['epochs']} epochs"
    elif isinstance(file, Flow):
        yield f"{file.levels} levels, scale {file.scale}; y of the last operator at each level:"
        for rule in file.rules:
            for sector in ("even", "odd"):
                y, e = rule[sector]["y"][1:, -1], rule[sector]["y_error"][1:, -1]
                values = "  ".join(f"{a:.4f}({b:.4f})" for a, b in zip(y, e))
                yield f"  nn = {rule.nn:.6g} {rule.name} {sector}: {values}"
    elif isinstance(file, Checkpoint):
        yield f"stage {file.stage} at step {file.step} of {file.total}"
    else:
        names = []
        file._group.visititems(lambda name, thing: names.append(name) if isinstance(thing, h5py.Dataset) else None)
        names = [name for name in names if not re.match(r"(checksums/|seal$)", name)]
        yield f"{len(names)} datasets: {', '.join(names[:4])}{', ...' if len(names) > 4 else ''}"


def main(arguments):
    paths = [a for a in arguments if not a.startswith("-")]
    options = [a for a in arguments if a.startswith("-")]
    if len(paths) != 1 or any(o != "--verify" for o in options):
        print("Usage: python3 vrg.py DIR|FILE [--verify]", file=sys.stderr)
        return 2
    try:
        thing = open(paths[0])
        if isinstance(thing, numpy.ndarray):
            print(f"{paths[0]}: {len(thing)} rows of {', '.join(thing.dtype.names)}")
            return 0
        directory = thing.directory if isinstance(thing, Run) else ""
        for name in thing.files if isinstance(thing, Run) else [thing.path]:
            path = os.path.join(directory, name)
            with open(path) as file:
                print(f"{name}: {file.format}, by vrg {file.provenance.get('version', '?')}")
                for line in _describe(file):
                    print("  " + line)
            if options:
                print(f"  {verify(path)} datasets verified")
        for name in thing.tables if isinstance(thing, Run) else []:
            t = thing.table(name)
            print(f"{name}.tsv: {len(t)} rows of {' '.join(t.dtype.names)}")
    except (OSError, ValueError, KeyError) as error:
        print(f"vrg.py: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
