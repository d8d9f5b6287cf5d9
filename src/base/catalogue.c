/* SPDX-License-Identifier: GPL-3.0-or-later
 * The catalogue of operators by dimension. */
#include "base/catalogue.h"

#include <string.h>

#include "base/error.h"

#define COUNT(array) ((int) (sizeof (array) / sizeof (array)[0]))

static const vrg_pattern even_1[] = {
  { "nn", 2, { { 0 }, { 1 } } },
  { "nnn", 2, { { 0 }, { 2 } } },
  { "third", 2, { { 0 }, { 3 } } },
  { "four", 4, { { 0 }, { 1 }, { 2 }, { 3 } } },
};

static const vrg_pattern odd_1[] = {
  { "spin", 1, { { 0 } } },
  { "line", 3, { { 0 }, { 1 }, { 2 } } },
  { "gap", 3, { { 0 }, { 1 }, { 3 } } },
};

/* All pairs and the plainest products of four that fit into 3 x 3, then two larger ones. */
static const vrg_pattern even_2[] = {
  { "nn", 2, { { 0, 0 }, { 1, 0 } } },
  { "nnn", 2, { { 0, 0 }, { 1, 1 } } },
  { "plaquette", 4, { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } } },
  { "third", 2, { { 0, 0 }, { 2, 0 } } },
  { "knight", 2, { { 0, 0 }, { 2, 1 } } },
  { "diamond", 4, { { 0, 1 }, { 1, 0 }, { 1, 2 }, { 2, 1 } } },
  { "square2", 2, { { 0, 0 }, { 2, 2 } } },
  { "zigzag", 4, { { 0, 0 }, { 0, 1 }, { 1, 1 }, { 1, 2 } } },
  { "tee", 4, { { 0, 0 }, { 0, 1 }, { 0, 2 }, { 1, 1 } } },
  { "ell", 4, { { 0, 0 }, { 0, 1 }, { 0, 2 }, { 1, 0 } } },
  { "rectangle", 4, { { 0, 0 }, { 0, 2 }, { 1, 0 }, { 1, 2 } } },
  { "frame", 4, { { 0, 0 }, { 0, 2 }, { 2, 0 }, { 2, 2 } } },
  { "bent", 4, { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 2 } } },
  { "sixth", 2, { { 0, 0 }, { 3, 0 } } },
  { "domino", 6, { { 0, 0 }, { 0, 1 }, { 0, 2 }, { 1, 0 }, { 1, 1 }, { 1, 2 } } },
};

static const vrg_pattern odd_2[] = {
  { "spin", 1, { { 0, 0 } } },
  { "corner", 3, { { 0, 0 }, { 1, 0 }, { 0, 1 } } },
  { "line", 3, { { 0, 0 }, { 1, 0 }, { 2, 0 } } },
  { "diagonal", 3, { { 0, 0 }, { 1, 1 }, { 2, 2 } } },
  { "wedge", 3, { { 0, 0 }, { 0, 2 }, { 1, 1 } } },
  { "knee", 3, { { 0, 0 }, { 0, 1 }, { 1, 2 } } },
  { "hook", 3, { { 0, 0 }, { 0, 2 }, { 1, 0 } } },
  { "cross", 5, { { 0, 1 }, { 1, 0 }, { 1, 1 }, { 1, 2 }, { 2, 1 } } },
};

static const vrg_pattern even_3[] = {
  { "nn", 2, { { 0, 0, 0 }, { 1, 0, 0 } } },
  { "nnn", 2, { { 0, 0, 0 }, { 1, 1, 0 } } },
  { "plaquette", 4, { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 1, 0 }, { 1, 1, 0 } } },
  { "third", 2, { { 0, 0, 0 }, { 1, 1, 1 } } },
  { "fourth", 2, { { 0, 0, 0 }, { 2, 0, 0 } } },
  { "tetrahedron", 4, { { 0, 0, 0 }, { 1, 1, 0 }, { 1, 0, 1 }, { 0, 1, 1 } } },
  { "rectangle", 4, { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 1, 1 }, { 1, 1, 1 } } },
  { "tripod", 4, { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } },
  { "knight", 2, { { 0, 0, 0 }, { 2, 1, 0 } } },
  { "cube",
    8,
    { { 0, 0, 0 }, { 0, 0, 1 }, { 0, 1, 0 }, { 0, 1, 1 }, { 1, 0, 0 }, { 1, 0, 1 }, { 1, 1, 0 }, { 1, 1, 1 } } },
};

static const vrg_pattern odd_3[] = {
  { "spin", 1, { { 0, 0, 0 } } },
  { "corner", 3, { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 1, 0 } } },
  { "line", 3, { { 0, 0, 0 }, { 1, 0, 0 }, { 2, 0, 0 } } },
  { "triangle", 3, { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } },
  { "diagonal", 3, { { 0, 0, 0 }, { 1, 1, 0 }, { 2, 2, 0 } } },
  { "cross", 5, { { 0, 0, 1 }, { 0, 1, 0 }, { 0, 1, 1 }, { 0, 1, 2 }, { 0, 2, 1 } } },
  { "star", 7, { { 1, 1, 1 }, { 0, 1, 1 }, { 2, 1, 1 }, { 1, 0, 1 }, { 1, 2, 1 }, { 1, 1, 0 }, { 1, 1, 2 } } },
};

int
vrg_catalogue (int dimension, bool odd, const vrg_pattern **patterns)
{
  static const struct
  {
    const vrg_pattern *patterns;
    int n;
  } all[VRG_MAX_DIMENSION][2] = {
    { { even_1, COUNT (even_1) }, { odd_1, COUNT (odd_1) } },
    { { even_2, COUNT (even_2) }, { odd_2, COUNT (odd_2) } },
    { { even_3, COUNT (even_3) }, { odd_3, COUNT (odd_3) } },
  };
  VRG_ASSERT (dimension >= 1 && dimension <= VRG_MAX_DIMENSION);
  *patterns = all[dimension - 1][odd].patterns;
  return all[dimension - 1][odd].n;
}

const vrg_pattern *
vrg_catalogue_find (int dimension, const char *name)
{
  for (int odd = 0; odd < 2; odd++)
    {
      const vrg_pattern *patterns;
      const int n = vrg_catalogue (dimension, odd, &patterns);
      for (int i = 0; i < n; i++)
        if (!strcmp (patterns[i].name, name))
          return &patterns[i];
    }
  return NULL;
}
