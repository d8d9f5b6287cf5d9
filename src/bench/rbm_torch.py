#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contrastive divergence of a dense RBM in float32 PyTorch on one core: what `vrg bench train` compares with.

usage: rbm_torch.py VISIBLE HIDDEN BATCH STEPS SECONDS
prints: updates a second (median of repetitions), then PyTorch's version and its BLAS

Units are 0 or 1 with means sigmoid (v W); no biases; SGD with momentum.  Everything is in place, without gradients of
its own; random 64-bit words are taken as two int32 each (bernoulli_ and rand_ take 5 and 2 times as long), and the
momentum's decay is part of the gradient's product."""

import os
import statistics
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import torch

RATE, MOMENTUM = 0.01, 0.9


class Rbm:
    def __init__(self, visible, hidden, batch):
        torch.manual_seed(1)
        self.weights = torch.randn(visible, hidden) * 0.01
        self.moment = torch.zeros(visible, hidden)
        self.batch = batch
        self.v = torch.empty(2 * batch, visible)  # data, then the chains' ends
        self.h = torch.empty(batch, hidden)
        self.means = torch.empty(2 * batch, hidden)  # means, minus means
        self.random = torch.empty((batch * max(visible, hidden) + 1) // 2, dtype=torch.int64)

    def draw(self, units):
        """Units 0 or 1 from their means, in place."""
        n = units.numel()
        words = self.random[: (n + 1) // 2].random_(-(2**63), None).view(torch.int32)[:n].view(units.shape)
        torch.sub(units, words, alpha=2.0**-32, out=units)  # p - r + 1/2, 0 <= r < 1
        torch.ge(units, 0.5, out=units)

    def update(self, data, steps):
        b, h, w = self.batch, self.h, self.weights
        v = self.v[b:]
        self.v[:b] = data
        torch.mm(data, w, out=h)
        torch.sigmoid(h, out=h)
        self.means[:b] = h
        for _ in range(steps):
            self.draw(h)
            torch.mm(h, w.t(), out=v)
            torch.sigmoid(v, out=v)
            self.draw(v)
            torch.mm(v, w, out=h)
            torch.sigmoid(h, out=h)
        torch.neg(h, out=self.means[b:])
        self.moment.addmm_(self.v.t(), self.means, beta=MOMENTUM, alpha=RATE / b)
        w.add_(self.moment)


def main():
    visible, hidden, batch, steps = map(int, sys.argv[1:5])
    seconds = float(sys.argv[5])
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    rbm = Rbm(visible, hidden, batch)
    data = (torch.rand(8, batch, visible) < 0.5).float()
    rates, updates, end = [], 0, time.perf_counter() + seconds
    for _ in range(3):
        rbm.update(data[0], steps)
    while not rates or time.perf_counter() < end:
        begin, done = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds / 8:
            rbm.update(data[updates % 8], steps)
            updates, done = updates + 1, done + 1
        rates.append(done / (time.perf_counter() - begin))
    if not torch.isfinite(rbm.weights).all():
        sys.exit("rbm_torch.py: training diverged")
    blas = "MKL" if torch.backends.mkl.is_available() else "BLAS of PyTorch"
    print("%.6g torch %s, %s" % (statistics.median(rates), torch.__version__, blas))


if len(sys.argv) != 6:
    sys.exit(__doc__)
main()
