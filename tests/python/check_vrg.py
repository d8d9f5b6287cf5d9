# SPDX-License-Identifier: GPL-3.0-or-later
"""python/vrg.py against what the program writes: check_vrg.py DIRECTORY, prints TAP.  tests/run/python.test makes the runs:
`every` (scale 3, a convolution), `dense`, `cube`, `ring`, `combined`, and `stopped`, `training`, `flowing` with checkpoints."""

import doctest
import glob
import os
import shutil
import subprocess
import sys
import traceback

import h5py
import numpy

import vrg

os.chdir(sys.argv[1])
number = 0


def result(good, text):
    global number
    number += 1
    print(f"{'ok' if good else 'not ok'} {number} - {text}")


def check(text):
    """A decorator: the function runs at once, and passes when it raises nothing and does not return False."""
    def run(function):
        try:
            result(function() is not False, text)
        except Exception:
            result(False, text)
            print("# " + traceback.format_exc().replace("\n", "\n# "))
    return run


def same(a, b):
    if not numpy.array_equal(a, b):
        raise AssertionError(f"{a} is not {b}")


def sums(s, dimension=2):
    """S_nn of configurations [n] + sides, each site's bond along each dimension."""
    s = s.astype(numpy.int64)
    axes = tuple(range(1, 1 + dimension))
    return sum((s * numpy.roll(s, -1, axis)).sum(axis=axes) for axis in axes)


def operators(s):
    """S of nn nnn plaquette third, every image counted, in two dimensions."""
    s = s.astype(numpy.int64)
    r = lambda y, x: numpy.roll(s, (-y, -x), (1, 2))
    add = lambda a: a.sum(axis=(1, 2))
    return numpy.stack([add(s * r(1, 0)) + add(s * r(0, 1)), add(s * r(1, 1)) + add(s * r(1, -1)),
                        add(s * r(0, 1) * r(1, 0) * r(1, 1)), add(s * r(2, 0)) + add(s * r(0, 2))], axis=1)


every = vrg.open("every")


@check("doctests of the module")
def _():
    return doctest.testmod(vrg).failed == 0


for name, dimension in (("ring", 1), ("every", 2), ("cube", 3)):
    @check(f"{name}: bonds and magnetisation are those of the unpacked spins, means those of sample.tsv")
    def _():
        samples = vrg.open(f"{name}/samples.h5")
        table = vrg.open(f"{name}/sample.tsv")
        for e, row in zip(samples.ensembles, table):
            s = e.spins[:]
            assert s.shape == (len(e),) + samples.size and set(numpy.unique(s)) == {-1, 1}
            same(sums(s, dimension), e.bonds)
            same(s.sum(axis=tuple(range(1, 1 + dimension)), dtype=numpy.int64), e.magnetisation)
            # means of the table are freed of the jackknife's bias where blocks differ in size
            assert abs(e.energy.mean() - row["energy"]) < 0.02 * row["energy_err"]
            assert abs(abs(e.m).mean() - row["abs_m"]) < 0.02 * row["abs_m_err"]


@check("even operators are those of the unpacked spins")
def _():
    e = every.samples.ensemble("critical")
    same(operators(e.spins[:]), e.even[:, :4])


@check("any index gives what it gives of the whole array")
def _():
    e = every.samples.ensemble(0.40)
    s = e.spins[:]
    for i in (3, -1, slice(2, 9), slice(5, 40, 7), slice(-3, None), [1, 4, 5], (2, 1), (2, slice(1, 3), slice(None, None, 2)),
              (slice(4, 8), 0), (slice(None, 9, 4), slice(2), 5), (slice(3, 5), Ellipsis, 0)):
        same(e.spins[i], s[i])
    same(numpy.asarray(e.spins), s)
    same(e.chain(1), numpy.arange(1, 999, 3))
    same(e.spins[e.chain(2)], s[2::3])
    for bad in (len(s), -len(s) - 1):
        try:
            e.spins[bad]
        except IndexError:
            continue
        return False


@check("ensembles by number, coupling and name")
def _():
    same(every.samples.ensemble(1).nn, every.samples.ensemble("critical").nn)
    try:
        every.samples.ensemble(0.41)
    except KeyError as error:
        return "0.4" in str(error)
    return False


@check("blocked spins: means of operators are those of flow.h5, majority, decimation and the learnt rule without noise")
def _():
    layer = every.model.layers[0]
    for key in (0, 1):
        for name in ("majority", "decimation", "learnt-sign"):
            rule, s = every.flow.rule(key, name), every.samples.ensemble(key).spins[:]
            assert rule.even.operators[:4] == ["nn", "nnn", "plaquette", "third"] and rule.odd.operators[0] == "spin"
            for level in (0, 1, 2):
                if level > 0 and name == "learnt-sign":
                    sign = 1 if layer.weights.sum() > 0 else -1
                    low = vrg.Layer(layer._group)
                    low.visible = s.shape[1:]
                    s = numpy.sign(sign * low.fields(s)[:, 0]).astype(numpy.int8)
                elif level > 0:
                    s = {"majority": vrg.majority, "decimation": vrg.decimation}[name](s, 3)
                assert set(numpy.unique(s)) <= {-1, 1}
                sites = s[0].size
                assert numpy.allclose(rule.even["mean"][level, :4], operators(s).mean(axis=0) / sites, rtol=1e-13, atol=1e-15)
                assert numpy.isclose(rule.odd["mean"][level, 0], s.mean(), rtol=1e-12, atol=1e-15)


@check("eigenvalues of the stability matrix give y")
def _():
    even = every.flow.rule("critical", "majority").even
    used = even["used"][1] == 1
    eigenvalue = max(abs(numpy.linalg.eigvals(even["stability"][1][numpy.ix_(used, used)])))
    return numpy.isclose(numpy.log(eigenvalue) / numpy.log(every.flow.scale), even["y"][1, -1], rtol=1e-9)


@check("weights and fields are those of learnt.h5: a convolution sees the window that the file says")
def _():
    learnt, layer, s = every.file("learnt.h5")["layer-1"], every.model.layers[0], every.samples.ensemble(1).spins[:5]
    r = learnt["effective_fields"]
    same(r, layer.images())
    y = learnt.attributes["origin_row"] + numpy.arange(r.shape[1])
    x = learnt.attributes["origin_column"] + numpy.arange(r.shape[2])
    fields = layer.fields(s)
    assert fields.shape == (5, 1, 6, 6)
    for jy, jx in ((0, 0), (2, 5)):
        seen = s[:, (y + 3 * jy)[:, None] % 18, (x + 3 * jx) % 18]
        assert numpy.allclose(fields[:, 0, jy, jx], (r[0] * seen).sum(axis=(1, 2)) + layer.hidden_bias[0])


@check("a dense stack: images, fields, spectrum")
def _():
    run = vrg.open("dense")
    low, high = run.model.layers
    same(low.images(), run.file("learnt.h5")["layer-1"]["effective_fields"])
    s = run.samples.ensemble(0).spins[:4]
    h = low.fields(s)
    assert numpy.allclose(h, s.reshape(4, -1) @ low.weights.T + low.hidden_bias) and high.fields(numpy.sign(h)).shape == (4, 3)
    values = run.file("spectrum.h5")["layer-1"]["singular_values"]
    return numpy.allclose(numpy.linalg.svd(low.weights, compute_uv=False), values, rtol=1e-8)


@check("checkpoints: stage, step and arrays")
def _():
    sampling, training = vrg.open("stopped").checkpoints, vrg.open("training").checkpoints
    assert sampling and training
    for c in sampling + training:
        assert 0 <= c.step <= c.total and c.names()
    assert {c.stage for c in sampling} == {"sample"} and {c.stage for c in training} == {"train"}
    assert {c.stage for c in vrg.open("flowing").checkpoints} == {"rbm"}


files = sorted(f for f in glob.glob("*/*.h5"))


@check(f"checksums and seals of {len(files)} files are those that the module computes; a changed byte or attribute is found")
def _():
    for f in files:
        vrg.verify(f)
    shutil.copy("every/flow.h5", "bad.h5")
    with h5py.File("bad.h5", "r") as f:
        at = f["ensemble-001/majority/even/y"].id.get_offset() + 9
    with open("bad.h5", "r+b") as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 1]))
    for damage in ("majority/even/y is damaged", "attribute is damaged"):
        try:
            vrg.verify("bad.h5")
        except ValueError as error:
            assert damage in str(error)
        else:
            return False
        with h5py.File("bad.h5", "r+") as f:
            f["ensemble-001"].attrs.modify("nn", 0.44)
    shutil.copy("every/flow.h5", "bad.h5")
    with h5py.File("bad.h5", "r+") as f:
        del f["checksums/ensemble-001/majority/even/y"]
    try:
        vrg.verify("bad.h5")
    except ValueError as error:
        assert "majority/even/y has no checksums" in str(error)
    else:
        return False
    shutil.copy("every/flow.h5", "bad.h5")
    with h5py.File("bad.h5", "r+") as f:
        f["ensemble-001"].attrs.modify("nn", 0.44)


@check("provenance and parameters")
def _():
    assert vrg.provenance("every/model.h5")["ranks"] == 1
    return every.samples.parameters["lattice.size"] == "18 18" and "vrg" in every.flow.provenance["command"]


tables = sorted(glob.glob("*/*.tsv"))


@check(f"{len(tables)} tables: every cell of text or of a number, no column by another name")
def _():
    for path in tables:
        t = vrg.table(path)
        with open(path) as lines:
            rows = [line.rstrip("\n").split("\t") for line in lines if not line.startswith("#")]
        assert list(t.dtype.names) == rows[0] and len(t) == len(rows) - 1
        for row, cells in zip(t, rows[1:]):
            for value, cell in zip(row, cells):
                assert cell == str(value) or float(cell) == value or (value != value and cell == "nan"), (path, cell, value)


try:
    import pandas
except ImportError:
    result(True, "pandas.read_csv reads every table # SKIP no Python module pandas")
else:
    @check("pandas.read_csv (sep tab, comment #) reads every table as it is")
    def _():
        names = {os.path.basename(path)[:-4] for path in tables}
        missing = {"sample", "operators", "train", "fields", "interactions", "model-samples", "reconstructions", "exponents",
                   "couplings", "eigenvalues", "fit", "derivatives", "surface", "rbm-flow", "rbm-stationary", "mapping",
                   "matching", "exponents-by-size", "extrapolation", "seeds"} - names
        assert not missing, missing
        assert all(len(vrg.table(path)) for path in tables), "every table of these runs has rows"
        for path in tables:
            f, t = pandas.read_csv(path, sep="\t", comment="#"), vrg.table(path)
            assert list(f.columns) == list(t.dtype.names) and len(f) == len(t), path
            for name in t.dtype.names:
                if t[name].dtype.kind == "U":
                    assert list(f[name].astype(str)) == list(t[name]), (path, name)
                else:
                    assert numpy.allclose(f[name].to_numpy(float), t[name].astype(float), rtol=1e-14, atol=0,
                                          equal_nan=True), (path, name)


def summary(*arguments):
    return subprocess.run([sys.executable, vrg.__file__, *arguments], capture_output=True, text=True)


@check("python3 vrg.py DIR prints a summary of every file, and ends with 3 for what is none")
def _():
    found = summary("every", "--verify")
    assert found.returncode == 0 and found.stdout.count("datasets verified") == len(every.files), found
    assert all(f"{name}.tsv: " in found.stdout for name in every.tables) and "nn = 0.440687 majority even:" in found.stdout
    assert summary("bad.h5", "--verify").returncode == 3 and summary("nosuch").returncode == 3 and summary().returncode == 2


print(f"1..{number}")
