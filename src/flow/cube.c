/* SPDX-License-Identifier: GPL-3.0-or-later
 * Classes of configurations and operators of a cube under its point group. */
#include "flow/cube.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum
{
  IMAGES = 48 /* of the cube's point group */
};

/** What the point group makes of a set of corners (of a state: the set of spins down); returns how many elements. */
static int
images (int dimension, int set, int image[IMAGES])
{
  static const int orders[6][3] = { { 0, 1, 2 }, { 1, 0, 2 }, { 0, 2, 1 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
  static const int permutations[] = { 0, 1, 2, 6 };
  const int corners = 1 << dimension;
  int n = 0;
  for (int o = 0; o < permutations[dimension]; o++)
    for (int mirror = 0; mirror < corners; mirror++)
      {
        image[n] = 0;
        for (int i = 0; i < corners; i++)
          {
            int to = mirror;
            for (int j = 0; j < dimension; j++)
              to ^= (i >> j & 1) << orders[o][j];
            image[n] |= (set >> i & 1) << to;
          }
        n++;
      }
  return n;
}

/** In how many directions the corners of a set differ. */
static int
extent (int dimension, int set)
{
  const int corners = 1 << dimension;
  int differ = 0, first = -1, count = 0;
  for (int i = 0; i < corners; i++)
    if (set >> i & 1)
      {
        first = first < 0 ? i : first;
        differ |= i ^ first;
      }
  for (int j = 0; j < dimension; j++)
    count += differ >> j & 1;
  return count;
}

static void
find_classes (vrg_cube *cube)
{
  int image[IMAGES];
  for (int s = 0; s < cube->states; s++)
    cube->class_of[s] = -1;
  for (int down = 0; 2 * down <= cube->corners; down++)
    for (int s = 0; s < cube->states; s++)
      if (__builtin_popcount ((unsigned) s) == down && cube->class_of[s] < 0)
        {
          const int n = images (cube->dimension, s, image), class = cube->classes++, all = cube->states - 1;
          bool own_flip = false;
          cube->representative[class] = s;
          for (int g = 0; g < n; g++)
            own_flip = own_flip || image[g] == (s ^ all);
          for (int g = 0; g < n; g++)
            {
              cube->size[class] += cube->class_of[image[g]] < 0;
              cube->class_of[image[g]] = class;
              cube->sign[image[g]] = !own_flip;
              cube->size[class] += cube->class_of[image[g] ^ all] < 0;
              cube->class_of[image[g] ^ all] = class;
              cube->sign[image[g] ^ all] = -!own_flip;
            }
          if (!own_flip)
            cube->odd_class[cube->odd++] = class;
        }
}

static void
find_operators (vrg_cube *cube)
{
  static const char *const names[] = { NULL, "nn", "nnn", "plaquette", "third" };
  bool seen[VRG_CUBE_STATES] = { false };
  int image[IMAGES], a = 0;
  for (int e = 0; e <= cube->dimension; e++)
    for (int sites = 0; sites <= cube->corners; sites += 2)
      for (int set = 0; set < cube->states; set++)
        if (!seen[set] && __builtin_popcount ((unsigned) set) == sites && extent (cube->dimension, set) == e)
          {
            const int n = images (cube->dimension, set, image);
            for (int g = 0; g < n; g++)
              seen[image[g]] = true;
            cube->operator[a] = set;
            cube->shared[a] = e == 0 ? 1 : 1 << (cube->dimension - e); /* the constant: as many cubes as sites */
            cube->name[a] = a < (int) (sizeof names / sizeof *names) ? names[a] : NULL;
            a++;
          }
  VRG_ASSERT (a == cube->classes);
}

void
vrg_cube_init (vrg_cube *cube, int dimension)
{
  VRG_ASSERT (dimension >= 1 && dimension <= 3);
  *cube = (vrg_cube){ .dimension = dimension, .corners = 1 << dimension, .states = 1 << (1 << dimension) };
  for (int s = 0; s < cube->states; s++)
    cube->magnetisation[s] = cube->corners - 2 * __builtin_popcount ((unsigned) s);
  find_classes (cube);
  find_operators (cube);
}

/** The product of the spins at a set of corners. */
static int
product (int state, int set)
{
  return 1 - 2 * (__builtin_popcount ((unsigned) (state & set)) & 1);
}

void
vrg_cube_couplings (const vrg_cube *cube, const double *v, double *k)
{
  for (int a = 0; a < cube->classes; a++)
    {
      double sum = 0;
      for (int s = 0; s < cube->states; s++)
        sum += v[cube->class_of[s]] * product (s, cube->operator[a]);
      k[a] = sum * cube->shared[a] / cube->states;
    }
}

void
vrg_cube_potential (const vrg_cube *cube, const double *k, double *v)
{
  int image[IMAGES];
  for (int c = 0; c < cube->classes; c++)
    {
      v[c] = 0;
      for (int a = 0; a < cube->classes; a++)
        {
          const int n = images (cube->dimension, cube->operator[a], image);
          bool seen[VRG_CUBE_STATES] = { false };
          int sum = 0;
          for (int g = 0; g < n; g++)
            if (!seen[image[g]])
              {
                seen[image[g]] = true;
                sum += product (cube->representative[c], image[g]);
              }
          v[c] += k[a] / cube->shared[a] * sum;
        }
    }
}
