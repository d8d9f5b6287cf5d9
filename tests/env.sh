# SPDX-License-Identifier: GPL-3.0-or-later
# The environment of MPI runs on one machine: tests and quickstart.  To be sourced.
if [ "$(id -u)" = 0 ]; then # mpirun refuses root unless told twice
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMPI_MCA_rmaps_base_oversubscribe=1           # more ranks than cores is fine
export OMPI_MCA_hwloc_base_binding_policy=none       # jobs side by side must not all sit on core 0
export OMPI_MCA_mpi_yield_when_idle=1                # nor spin while others want the cores (ten times slower; never 0)
export OMPI_MCA_pml=ob1                              # no probing for networks: starts three times faster
export OMPI_MCA_btl_vader_single_copy_mechanism=none # faster than CMA in virtual machines and containers
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1      # one thread a rank
