#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three figures from a run, as SVG and PNG.  A script whose cells (# %%) VS Code, Spyder and Jupytext show as a notebook.

    python3 figures.py [RUN [OUT]]      # by default the run of ./quickstart run, figures into the working directory

Needs python3-numpy, python3-h5py and python3-matplotlib."""

# %% The run.  vrg.py lies in ../../python, in the sources and where the documentation is installed.
import os
import sys

import matplotlib
import numpy as np

try:
    here = os.path.dirname(os.path.abspath(__file__))
    matplotlib.use("Agg")
except NameError:  # in a notebook
    here = os.getcwd()
sys.path += [os.path.join(here, "..", "..", "python")]
import matplotlib.pyplot as plt
import vrg

run = vrg.open(sys.argv[1] if len(sys.argv) > 1 else "quickstart-run")
out = sys.argv[2] if len(sys.argv) > 2 else "."
os.makedirs(out, exist_ok=True)
plt.rcParams.update({"figure.dpi": 150, "font.size": 9, "axes.grid": True, "grid.alpha": 0.3, "svg.hashsalt": "vrg"})


def save(figure, name):
    for ending in ("svg", "png"):
        figure.savefig(os.path.join(out, f"{name}.{ending}"), metadata={"Date": None} if ending == "svg" else None)
    print(os.path.join(out, f"{name}.svg"))


# %% Energy and specific heat, with the exact curve of the same torus (Kaufman 1949; rows x columns, nearest neighbours).
def lnz(k, rows, columns):
    """ln Z of the torus; the four products, as logarithms."""
    def gamma(l):
        c = np.cosh(2 * k) / np.tanh(2 * k) - np.cos(np.pi * l / columns)
        return 2 * k + np.log(np.tanh(k)) if l == 0 else np.arccosh(c)

    odd = np.array([gamma(2 * r + 1) for r in range(columns)]) * rows / 2
    even = np.array([gamma(2 * r) for r in range(columns)]) * rows / 2
    ln2cosh = lambda x: (abs(x) + np.log1p(np.exp(-2 * abs(x)))).sum()
    ln2sinh = lambda x: ((abs(x) + np.log(-np.expm1(-2 * abs(x)))).sum(), np.prod(np.sign(x)))
    terms = [(ln2cosh(odd), 1), ln2sinh(odd), (ln2cosh(even), 1), ln2sinh(even)]
    largest = max(value for value, sign in terms)
    # below the critical temperature the fourth product counts with the other sign than gamma(0): keep the signs
    total = sum(sign * np.exp(value - largest) for value, sign in terms)
    return largest + np.log(total / 2) + rows * columns / 2 * np.log(2 * np.sinh(2 * k))


def exact(k, rows, columns, h=1e-4):
    """Energy and specific heat per site, from differences of ln Z."""
    low, middle, high = (lnz(x, rows, columns) for x in (k - h, k, k + h))
    return -(high - low) / (2 * h) / (rows * columns), k * k * (high - 2 * middle + low) / h ** 2 / (rows * columns)


t = run.table("sample")
figure, axes = plt.subplots(1, 2, figsize=(7, 2.8), layout="constrained")
if run.samples.dimension == 2 and not np.isnan(t["exact_energy"]).any():
    sides = run.samples.size
    ks = np.linspace(t["nn"].min() - 0.02, t["nn"].max() + 0.02, 120)
    curve = np.array([exact(k, *sides) for k in ks])
    for k, energy in zip(t["nn"], t["exact_energy"]):
        assert abs(exact(k, *sides)[0] - energy) < 1e-6, "the curve and sample.tsv must agree"
    axes[0].plot(ks, curve[:, 0], label="exact")
    axes[1].plot(ks, curve[:, 1])
for axis, name, text in zip(axes, ("energy", "specific_heat"), ("energy per site", "specific heat per site")):
    axis.errorbar(t["nn"], t[name], t[name + "_err"], fmt="o", ms=4, capsize=2, label="sampled")
    axis.set_xlabel("coupling nn")
    axis.set_ylabel(text)
axes[0].legend()
save(figure, "energy")

# %% Exponents level by level: leading even and odd eigenvalue with all operators, for each rule, at the coupling next to critical.
nearest = min((rule.nn for rule in run.flow.rules), key=lambda nn: abs(nn - vrg.CRITICAL.get(run.samples.dimension, 0)))
rules = [rule for rule in run.flow.rules if rule.nn == nearest]
figure, axes = plt.subplots(1, 2, figsize=(7, 2.8), layout="constrained")
for axis, sector, name, value in zip(axes, ("even", "odd"), ("$y_t$", "$y_h$"), (1, 15 / 8)):
    for k, rule in enumerate(rules):
        y, error = rule[sector]["y"][1:, -1], rule[sector]["y_error"][1:, -1]
        axis.errorbar(np.arange(1, len(y) + 1) + 0.06 * (k - len(rules) / 2), y, error, fmt="o", ms=4, capsize=2, label=rule.name)
    if run.samples.dimension == 2:
        axis.axhline(value, color="k", lw=0.8, label="exact")
    axis.set_xlabel("level")
    axis.set_ylabel(name)
    axis.set_xticks(range(1, run.flow.levels + 1))
axes[0].legend()
save(figure, "exponents")

# %% What the machine looks at: filters, or the weights of the hidden units with the largest norms, of each layer that has a picture.
chosen = []
if "model.h5" in run.files:
    for number, layer in enumerate(run.model.layers, 1):
        images = layer.images()
        if images.shape[1] > 1:
            largest = np.argsort(-np.square(images).sum(axis=(1, 2)))[:8]
            chosen.append((f"layer {number}, {'filter' if layer.type == 'convolution' else 'unit'}", images[largest]))
if chosen:
    most = max(len(images) for title, images in chosen)
    figure, axes = plt.subplots(len(chosen), most, squeeze=False, layout="constrained",
                                figsize=(min(7, 1 + 2.2 * most), 2.4 * len(chosen)))
    for axis in axes.flat:
        axis.axis("off")
    for row, (title, images) in zip(axes, chosen):
        limit = abs(images).max()
        for k, weights in enumerate(images):
            picture = row[k].imshow(weights, cmap="RdBu_r", vmin=-limit, vmax=limit)
            row[k].set_title(f"{title} {k + 1}", fontsize=7)
        figure.colorbar(picture, ax=row.tolist(), shrink=0.8)
    save(figure, "filters")
else:
    print("no filters.svg:", "no layer of the model stands on a plane" if "model.h5" in run.files else "the run has no model.h5")
