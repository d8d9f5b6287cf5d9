#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contrastive divergence of a dense RBM in float32 NumPy on one core: what `vrg bench train` compares with.

usage: rbm_numpy.py VISIBLE HIDDEN BATCH STEPS SECONDS
prints: updates a second (median of repetitions), then NumPy's version and its BLAS with the kernels it chose

Units are +-1, so that the hidden means are tanh (v W); no biases; SGD with momentum.  Nothing is allocated in an update
but random numbers, and no pass over an array is made that can be saved:
- random 64-bit words are taken raw, two int32 each: twice as fast as Generator.random (dtype=float32), and 32 digits;
- a unit is the sign bit of 2^31 tanh x - r, put on 1.0 by two integer operations in place;
- both phases of the gradient are one product of twice the batch, with the rate in the means."""

import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # OpenBLAS knows best
    os.environ.pop(name, None)

import ctypes
import numpy as np

RATE, MOMENTUM = 0.01, np.float32(0.9)
TWO31 = np.float32(2**31)
SIGN, ONE = np.uint32(0x80000000), np.uint32(0x3F800000)


class Rbm:
    def __init__(self, visible, hidden, batch):
        self.words = np.random.SFC64(1)
        numbers = np.random.Generator(self.words)
        self.weights = numbers.standard_normal((visible, hidden), dtype=np.float32) * np.float32(0.01)
        self.moment = np.zeros_like(self.weights)
        self.gradient = np.empty_like(self.weights)
        self.rate = np.float32(RATE / batch)
        self.batch = batch
        self.v = np.empty((2 * batch, visible), np.float32)  # data, then the chains' ends
        self.h = np.empty((batch, hidden), np.float32)
        self.means = np.empty((2 * batch, hidden), np.float32)  # rate times means, minus the same
        self.random = np.empty(batch * max(visible, hidden), np.float32)

    def draw(self, units):
        """Units +-1 from their means, in place."""
        words = self.words.random_raw((units.size + 1) // 2).view(np.int32)[: units.size]
        random = self.random[: units.size]
        np.copyto(random, words, casting="unsafe")
        np.multiply(units, TWO31, out=units)
        np.subtract(units, random.reshape(units.shape), out=units)
        bits = units.view(np.uint32)
        np.bitwise_and(bits, SIGN, out=bits)
        np.bitwise_or(bits, ONE, out=bits)

    def update(self, data, steps):
        b, h, w = self.batch, self.h, self.weights
        v = self.v[b:]
        self.v[:b] = data
        np.matmul(data, w, out=h)
        np.tanh(h, out=h)
        np.multiply(h, self.rate, out=self.means[:b])
        for _ in range(steps):
            self.draw(h)
            np.matmul(h, w.T, out=v)
            np.tanh(v, out=v)
            self.draw(v)
            np.matmul(v, w, out=h)
            np.tanh(h, out=h)
        np.multiply(h, -self.rate, out=self.means[b:])
        np.matmul(self.v.T, self.means, out=self.gradient)
        np.multiply(self.moment, MOMENTUM, out=self.moment)
        np.add(self.moment, self.gradient, out=self.moment)
        np.add(w, self.moment, out=w)


def blas():
    """OpenBLAS and its core type, from the library that is loaded."""
    with open("/proc/self/maps") as maps:
        paths = sorted({line.split()[-1] for line in maps if "openblas" in line})
    for path in paths:
        library = ctypes.CDLL(path)
        for symbol in ("openblas_get_corename", "openblas_get_corename64_", "scipy_openblas_get_corename",
                       "scipy_openblas_get_corename64_"):
            function = getattr(library, symbol, None)
            if function is not None:
                function.restype = ctypes.c_char_p
                return "OpenBLAS " + function().decode()
    return "BLAS unknown"


def main():
    visible, hidden, batch, steps = map(int, sys.argv[1:5])
    seconds = float(sys.argv[5])
    rbm = Rbm(visible, hidden, batch)
    data = np.where(np.random.default_rng(2).random((8, batch, visible)) < 0.5, -1, 1).astype(np.float32)
    rates, updates, end = [], 0, time.perf_counter() + seconds
    for _ in range(3):
        rbm.update(data[0], steps)
    while not rates or time.perf_counter() < end:
        begin, done = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds / 8:
            rbm.update(data[updates % 8], steps)
            updates, done = updates + 1, done + 1
        rates.append(done / (time.perf_counter() - begin))
    if not np.isfinite(rbm.weights).all():
        sys.exit("rbm_numpy.py: training diverged")
    print("%.6g numpy %s, %s" % (np.median(rates), np.__version__, blas()))


if len(sys.argv) != 6:
    sys.exit(__doc__)
main()
