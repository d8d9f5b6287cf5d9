# SPDX-License-Identifier: GPL-3.0-or-later
"""check_xdmf.py NAME.xdmf samples.h5 ENSEMBLE A:B:STEP: what VTK reads are these configurations, each at its time."""

import sys

import numpy
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline
from vtkmodules.vtkIOXdmf2 import vtkXdmfReader

import vrg

samples = vrg.open(sys.argv[2])
rows = slice(*map(int, sys.argv[4].split(":")))
spins = samples.ensembles[int(sys.argv[3])].spins[rows]
reader = vtkXdmfReader()
reader.SetFileName(sys.argv[1])
reader.UpdateInformation()
times = reader.GetOutputInformation(0).Get(vtkStreamingDemandDrivenPipeline.TIME_STEPS())
assert list(times) == list(range(*rows.indices(10 ** 9)))[:len(times)] and len(times) == len(spins), times
for time, wanted in zip(times, spins):
    reader.UpdateTimeStep(time)
    image = reader.GetOutputDataObject(0)
    sides = (1,) * (3 - samples.dimension) + samples.size
    assert image.GetDimensions() == tuple(side + 1 for side in sides[::-1]), image.GetDimensions()
    assert numpy.array_equal(vtk_to_numpy(image.GetCellData().GetArray("spin")), wanted.ravel()), time
