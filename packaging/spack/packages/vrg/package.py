# SPDX-License-Identifier: GPL-3.0-or-later
# The recipe of VRG for Spack:  export VRG_SOURCE=$PWD; spack repo add packaging/spack; spack install vrg
import os

from spack.package import *


class Vrg(AutotoolsPackage):
    """Ising lattices from microscopic couplings to renormalization-group flow: sampling, restricted Boltzmann machines,
    and the Monte Carlo renormalization group under textbook and learnt block rules."""

    # Where you have it from: the clone that VRG_SOURCE in the environment names, or a URL written here.
    git = "file://" + os.environ.get("VRG_SOURCE", "/usr/local/src/vrg")

    license("GPL-3.0-or-later")

    version("main", branch="main")

    variant("gnuplot", default=True, description="Pictures in the report")

    depends_on("c", type="build")
    depends_on("autoconf@2.71:", type="build")
    depends_on("automake@1.16:", type="build")
    depends_on("libtool", type="build")  # Spack asks for it before autoreconf; VRG uses none
    depends_on("m4", type="build")
    depends_on("pkgconfig", type="build")

    depends_on("mpi@3:")
    depends_on("hdf5@1.10: +mpi")
    depends_on("scalapack")
    depends_on("blas")
    depends_on("gsl@2: ~external-cblas")  # its own CBLAS: the same bits on every processor
    depends_on("inih")
    depends_on("gnuplot", type="run", when="+gnuplot")

    def configure_args(self):
        spec = self.spec
        return [
            "CC=" + spec["mpi"].mpicc,
            "SCALAPACK_LIBS=" + spec["scalapack"].libs.ld_flags,
            "BLAS_LIBS=" + spec["blas"].libs.ld_flags,
        ]
