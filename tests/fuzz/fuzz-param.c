/* SPDX-License-Identifier: GPL-3.0-or-later
 * The input file: parse, with overrides (what follows a zero byte, one a line); what is accepted prints to a text that
 * parses to the same input, with the same fingerprints. */
#include "fuzz.h"

#include "base/param.h"

#define SETS 8

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  (void) argc;
  (void) argv;
  fuzz_begin ();
  return 0;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static vrg_input input, again;
  char *text = vrg_new ((int64_t) size + 1, 1, "text"), *sets[SETS] = { NULL };
  int n = 0;
  if (size > 0)
    memcpy (text, data, size);
  if (strlen (text) < size)
    for (char *rest, *line = strtok_r (text + strlen (text) + 1, "\n", &rest); line != NULL && n < SETS;
         line = strtok_r (NULL, "\n", &rest))
      sets[n++] = line;
  if (vrg_param_parse ("fuzz.ini", text, n, (const char *const *) sets, &input) == VRG_OK)
    {
      char *printed = vrg_param_print (&input);
      if (vrg_param_parse ("printed.ini", printed, 0, NULL, &again) != VRG_OK)
        {
          fprintf (stderr, "what is printed does not parse:\n%s\n%s\n", printed, vrg_error_text ());
          abort ();
        }
      for (int stage = VRG_STAGE_SAMPLE; stage <= VRG_STAGE_FLOW; stage *= 2)
        {
          char *one = vrg_param_fingerprint (&input, (vrg_stage) stage),
               *two = vrg_param_fingerprint (&again, (vrg_stage) stage), difference[256];
          vrg_param_difference (one, two, difference, sizeof difference);
          if (strcmp (one, two) != 0 || difference[0] != '\0')
            {
              fprintf (stderr, "printing changes the input: %s\n", difference);
              abort ();
            }
          vrg_param_difference (one, text, difference, sizeof difference);
          vrg_free (one);
          vrg_free (two);
        }
      vrg_free (printed);
    }
  else if (vrg_error_text ()[0] == '\0')
    abort ();
  vrg_free (text);
  fuzz_check ();
  return 0;
}
