/* SPDX-License-Identifier: GPL-3.0-or-later
 * The process grid: choice, layout, spans, agreement, sums.
 * ranks: 1 2 3 4 */
#include "check.h"

#include <string.h>

#include "parallel/grid.h"

static void
choose (int ranks, int64_t rows, int64_t chains, int wanted, int expected, const char *text)
{
  int strips = -1;
  char why[256] = "";
  int code = vrg_grid_choose (ranks, &(vrg_grid_load){ .layers = rows, .chains = chains }, wanted, &strips, why);
  if (expected > 0)
    check (code == VRG_OK && strips == expected && why[0] != '\0', "%s: %d strips (%s)", text, expected, why);
  else
    check (code == VRG_USAGE && vrg_error_text ()[0] != '\0', "%s: refused", text);
}

static void
choices (void)
{
  choose (1, 64, 8, 0, 1, "one rank");
  choose (4, 64, 8, 0, 1, "chains enough for all");
  choose (4, 8192, 1, 0, 4, "one large lattice");
  choose (4, 8192, 2, 0, 2, "two large lattices");
  choose (8, 64, 4, 0, 2, "64 rows are cut in two at most");
  choose (6, 4, 2, 0, 1, "a small lattice is not cut");
  choose (6, 512, 4, 0, 3, "the busiest rank has least to do");
  choose (4, 64, 8, 4, 4, "as asked for");
  choose (4, 64, 8, 3, 0, "3 does not divide 4");
  choose (8, 8, 8, 8, 0, "less than two rows a strip");
  choose (2, 4, 1, 2, 2, "two rows a strip");
  choose (2, 64, 1, -1, 0, "a negative number");

  int strips;
  char why[256];
  vrg_grid_choose (6, &(vrg_grid_load){ .layers = 4, .chains = 2 }, 0, &strips, why);
  check (strstr (why, "4 ranks are idle") != NULL, "idle ranks are named");
  vrg_grid_choose (4, &(vrg_grid_load){ .layers = 65536, .chains = 8, .least = 3 }, 0, &strips, why);
  check (strips == 4, "at least as many strips as the lattice needs: %d", strips);
  vrg_grid_choose (4, &(vrg_grid_load){ .layers = 64, .chains = 1, .band = 32 }, 0, &strips, why);
  check (strips == 2, "no more strips than bands: %d", strips);
  check (vrg_grid_choose (4, &(vrg_grid_load){ .layers = 24, .chains = 1, .band = 8 }, 4, &strips, why) == VRG_USAGE,
         "more strips than bands are refused");
  vrg_grid_choose (3, &(vrg_grid_load){ .layers = 1, .chains = 1000, .unit = 512 }, 0, &strips, why);
  check (strips == 1 && strstr (why, "1 rank is idle") && strstr (why, "512 chains"), "chains that stay together: %s",
         why);
}

static void
layout (void)
{
  for (int strips = 1; strips <= check_size_; strips++)
    if (check_size_ % strips == 0)
      {
        vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, strips);
        int strip, group, n_strips, n_groups;
        MPI_Comm_rank (grid->strip_comm, &strip);
        MPI_Comm_size (grid->strip_comm, &n_strips);
        MPI_Comm_rank (grid->group_comm, &group);
        MPI_Comm_size (grid->group_comm, &n_groups);
        check (grid->rank == grid->group * grid->strips + grid->strip && strip == grid->strip && group == grid->group
                 && n_strips == strips && n_groups == check_size_ / strips && grid->strips == strips
                 && grid->groups == n_groups && grid->size == check_size_,
               "grid of %d strips", strips);
        vrg_grid_free (grid);
      }
}

static void
spans (void)
{
  bool good = true;
  for (int64_t n = 0; n < 20; n++)
    for (int parts = 1; parts < 8; parts++)
      {
        int64_t end = 0, size = n;
        for (int part = 0; part < parts; part++)
          {
            int64_t first, last;
            vrg_grid_span (n, parts, part, &first, &last);
            good = good && first == end && last >= first && last - first <= size + (part == 0)
                   && last - first >= n / parts && last - first <= n / parts + 1;
            size = last - first;
            end = last;
          }
        good = good && end == n;
      }
  check (good, "spans cover everything once, the larger first");
}

static void
agreement (void)
{
  check (vrg_agree (MPI_COMM_WORLD, VRG_OK) == VRG_OK, "all is well");
  int last = check_size_ - 1;
  int code = check_rank_ == last ? vrg_error (VRG_FILE, "rank %d: a file", last) : VRG_OK;
  char expected[64];
  snprintf (expected, sizeof expected, "rank %d: a file", last);
  check (vrg_agree (MPI_COMM_WORLD, code) == VRG_FILE && strcmp (vrg_error_text (), expected) == 0,
         "the last rank's failure is everybody's");
  code = vrg_error (VRG_USAGE, "rank %d", check_rank_);
  check (vrg_agree (MPI_COMM_WORLD, code) == VRG_USAGE && strcmp (vrg_error_text (), "rank 0") == 0,
         "the lowest rank speaks");
  code = check_rank_ == last ? vrg_error (VRG_STOPPED, "stopped") : vrg_error (VRG_FILE, "file");
  check (vrg_agree (MPI_COMM_WORLD, code) == (last > 0 ? VRG_FILE : VRG_STOPPED)
           && strcmp (vrg_error_text (), last > 0 ? "file" : "stopped") == 0,
         "a failure is told before an early stop");
  code = check_rank_ == last ? vrg_error (VRG_FILE, "file") : vrg_error (VRG_USAGE, "usage");
  check (vrg_agree (MPI_COMM_WORLD, code) == VRG_FILE, "the largest failure wins");
}

static void
sums (void)
{
  enum
  {
    N = 1000
  };
  int64_t wide[N];
  int32_t narrow[N];
  double real[N];
  char text[N];
  for (int i = 0; i < N; i++)
    {
      wide[i] = ((int64_t) i << 40) + check_rank_;
      narrow[i] = i * check_rank_;
      real[i] = i % check_size_ == check_rank_ ? 0.1 * i : 0;
      text[i] = (char) (check_rank_ == 0 ? i : -1);
    }
  vrg_sum_int64 (MPI_COMM_WORLD, wide, N);
  vrg_sum_int32 (MPI_COMM_WORLD, narrow, N);
  vrg_sum_double (MPI_COMM_WORLD, real, N);
  vrg_broadcast (MPI_COMM_WORLD, text, N);
  int ranks = check_size_ * (check_size_ - 1) / 2;
  bool good[4] = { true, true, true, true };
  for (int i = 0; i < N; i++)
    {
      double value = 0.1 * i;
      good[0] = good[0] && wide[i] == ((int64_t) i << 40) * check_size_ + ranks;
      good[1] = good[1] && narrow[i] == i * ranks;
      good[2] = good[2] && memcmp (&real[i], &value, sizeof value) == 0;
      good[3] = good[3] && text[i] == (char) i;
    }
  check (good[0], "sum of int64");
  check (good[1], "sum of int32");
  check (good[2], "sum of doubles that one rank has");
  check (good[3], "broadcast");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  choices ();
  layout ();
  spans ();
  agreement ();
  sums ();
  return check_end ();
}
