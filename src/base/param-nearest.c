/* SPDX-License-Identifier: GPL-3.0-or-later
 * Suggestions for misspelt words. */
#include <ctype.h>
#include <string.h>

#include "base/param_internal.h"

/** Edits (insert, delete, replace, swap neighbours) from a to b, letter case apart. */
static int
distance (const char *a, const char *b)
{
  enum
  {
    MOST = 64
  };
  int rows[3][MOST + 1];
  const int na = (int) strnlen (a, MOST), nb = (int) strnlen (b, MOST);
  for (int j = 0; j <= nb; j++)
    rows[0][j] = j;
  for (int i = 1; i <= na; i++)
    {
      int *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
      now[0] = i;
      for (int j = 1; j <= nb; j++)
        {
          const int ca = tolower ((unsigned char) a[i - 1]), cb = tolower ((unsigned char) b[j - 1]);
          int best = last[j - 1] + (ca != cb);
          best = last[j] + 1 < best ? last[j] + 1 : best;
          best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
          if (i > 1 && j > 1 && ca == tolower ((unsigned char) b[j - 2]) && cb == tolower ((unsigned char) a[i - 2])
              && before[j - 2] + 1 < best)
            best = before[j - 2] + 1;
          now[j] = best;
        }
    }
  return rows[na % 3][nb];
}

bool
vrg_param_nearer (const char *word, const char *name, int *best)
{
  const int edits = distance (word, name);
  if (edits > ((int) strlen (word) + 2) / 3 || edits >= *best)
    return false;
  *best = edits;
  return true;
}

const char *
vrg_param_nearest (const char *word, const char *const *names)
{
  const char *found = NULL;
  for (int best = 99; *names != NULL; names++)
    if (vrg_param_nearer (word, *names, &best))
      found = *names;
  return found;
}
