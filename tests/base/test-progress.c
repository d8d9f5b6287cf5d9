/* SPDX-License-Identifier: GPL-3.0-or-later
 * Log and progress where standard error is a file: who speaks, and how often.  ranks: 1 2 3 4 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/progress.h"
#include "base/terminal.h"
#include "tests/check.h"

static FILE *kept;
static int terminal;

/** Standard error goes to a file of our own until its text is asked for. */
static void
catch_begin (void)
{
  fflush (stderr);
  kept = tmpfile ();
  terminal = dup (STDERR_FILENO);
  dup2 (fileno (kept), STDERR_FILENO);
}

static void
catch_end (char *text, size_t size)
{
  fflush (stderr);
  dup2 (terminal, STDERR_FILENO);
  close (terminal);
  rewind (kept);
  const size_t n = fread (text, 1, size - 1, kept);
  text[n] = 0;
  fclose (kept);
}

/** What a bar of `columns` shows on a terminal: its longest line without escape sequences, whether there were colours, and the
 *  whole text.  False: there is no pseudo-terminal here. */
static bool
show (int columns, const char *no_colour, const char *term, size_t *longest, bool *colours, char *text, size_t size)
{
  const int master = posix_openpt (O_RDWR | O_NOCTTY);
  char name[64];
  if (master < 0 || grantpt (master) != 0 || unlockpt (master) != 0 || ptsname_r (master, name, sizeof name) != 0)
    return false;
  const int slave = open (name, O_RDWR | O_NOCTTY);
  const struct winsize window = { .ws_col = (unsigned short) columns, .ws_row = 24 };
  fflush (stderr);
  terminal = dup (STDERR_FILENO);
  if (slave < 0 || terminal < 0 || ioctl (slave, TIOCSWINSZ, &window) != 0 || dup2 (slave, STDERR_FILENO) < 0)
    return false;
  close (slave);
  setenv ("TERM", term, 1);
  setenv ("NO_COLOR", no_colour, 1);
  vrg_log_init (true, VRG_LOG_INFO);
  vrg_progress progress;
  vrg_progress_begin (&progress, "sampling nn=0.440687 (2 of 2)", "sweeps", 0, 1000);
  vrg_progress_checkpoint (vrg_clock () + 5);
  usleep (10000);
  vrg_progress_update (&progress, 1);
  vrg_warn ("a warning");
  vrg_progress_end (&progress, 1);
  fflush (stderr);
  dup2 (terminal, STDERR_FILENO);
  close (terminal);

  size_t n = 0;
  struct pollfd ready = { .fd = master, .events = POLLIN };
  for (ssize_t more; n + 1 < size && poll (&ready, 1, 100) > 0 && (more = read (master, text + n, size - 1 - n)) > 0;)
    n += (size_t) more;
  text[n] = 0;
  close (master);
  *longest = 0;
  *colours = false;
  size_t length = 0;
  for (const char *p = text; *p; p++)
    if (*p == '\r' || *p == '\n')
      length = 0;
    else if (*p == 033)
      {
        p += strcspn (p, "mK");
        *colours = *colours || *p == 'm';
      }
    else if (++length > *longest && strstr (text, "a warning") > p) /* of the bar */
      *longest = length;
  return true;
}

static void
check_terminal (void)
{
  char text[4096];
  size_t longest = 0;
  bool colours = false, fits = true;
  const bool shown = show (120, "", "xterm", &longest, &colours, text, sizeof text);
  check (shown, "there is a pseudo-terminal");
  if (!shown)
    return;
  check (strstr (text, "sweeps/s, ") && strstr (text, "checkpoint in ") && strstr (text, "[") && strstr (text, " left"),
         "a wide terminal: bar, rate, time left, next checkpoint");
  check (colours, "in colours");
  for (int columns = 20; columns <= 130; columns += 5)
    fits = fits && show (columns, "", "xterm", &longest, &colours, text, sizeof text) && longest < (size_t) columns
           && longest > 15;
  check (fits, "never as long as the terminal is wide");
  show (120, "1", "xterm", &longest, &colours, text, sizeof text);
  check (!colours && strstr (text, "checkpoint in "), "NO_COLOR: a bar without colours");
  show (120, "", "dumb", &longest, &colours, text, sizeof text);
  check (!colours && !strchr (text, 033) && !strstr (text, "["), "TERM=dumb: no bar");
}

/** What another thread sees of work within work. */
static void
check_state (void)
{
  vrg_progress outer, inner;
  vrg_progress_state state;
  vrg_progress_plan ("sample train");
  vrg_progress_stage ("train");
  vrg_progress_begin (&outer, "training", "updates", 10, 100);
  vrg_progress_part (&outer, 100, 400);
  vrg_progress_begin_brief (&inner, "ln Z", "steps", 7);
  vrg_progress_now (&state);
  check (!strcmp (state.stage, "train") && !strcmp (state.plan, "sample train") && !strcmp (state.what, "training")
           && state.done == 110 && state.total == 400 && !strcmp (state.inner, "ln Z") && state.inner_total == 7,
         "what is done is told, with what is done within");
  vrg_progress_end (&inner, 7);
  vrg_progress_now (&state);
  check (!*state.inner && !strcmp (state.what, "training"), "the inner work has ended");
  vrg_progress_end (&outer, 100);
  vrg_progress_now (&state);
  check (!*state.what && state.total == 0, "and the outer");
}

static void
check_durations (void)
{
  static const struct
  {
    double seconds;
    const char *text;
  } table[] = { { 0, "0.0 s" },
                { 59.94, "59.9 s" },
                { 59.96, "1:00" },
                { 3599.7, "1:00:00" },
                { 7387, "2:03:07" },
                { 86400, "1 day 0:00:00" },
                { 200000, "2 days 7:33:20" },
                { HUGE_VAL, "?" },
                { -1, "0.0 s" } };
  char text[32];
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    check (!strcmp (vrg_duration (table[i].seconds, text), table[i].text), "%g s: %s", table[i].seconds, table[i].text);
}

static void
check_settings (int rank)
{
  static const struct
  {
    const char *text;
    double seconds;
    bool warned;
  } all[] = { { NULL, 7, false }, { "2.5", 2.5, false }, { "-1", -1, false }, { "", 7, true },
              { "2 s", 7, true }, { "nan", 7, true },    { "inf", 7, true } };
  char text[512];
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    {
      unsetenv ("VRG_SOME_SECONDS");
      if (all[i].text != NULL)
        setenv ("VRG_SOME_SECONDS", all[i].text, 1);
      catch_begin ();
      const double seconds = vrg_clock_setting ("VRG_SOME_SECONDS", 7);
      catch_end (text, sizeof text);
      check (seconds == all[i].seconds && (*text != 0) == (all[i].warned && rank == 0), "a time of `%s`: %s",
             all[i].text != NULL ? all[i].text : "(nothing)", text);
    }
}

/** What would steer a terminal. */
static void
check_plain (void)
{
  static const struct
  {
    const char *text, *kept, *plain;
  } texts[]
    = { { "K = 0.44, \xc3\xa9\xe2\x86\x92\xf0\x9f\x98\x80", "", "K = 0.44, \xc3\xa9\xe2\x86\x92\xf0\x9f\x98\x80" },
        { "\033[2Ja\177b\007\n\tc", "", "?[2Ja?b???c" },
        { "a\n\tb\r", "\n\t", "a\n\tb?" },
        { "\xc2\x9b"
          "2J \xc2\x80\xc2\xa0",
          "", "??2J ??\xc2\xa0" }, /* CSI of one byte, as UTF-8 */
        { "\x9b"
          "2J \xc3",
          "", "?2J ?" } }; /* and as it is */
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    {
      char text[64];
      snprintf (text, sizeof text, "%s", texts[i].text);
      check (!strcmp (vrg_plain_text (text, texts[i].kept), texts[i].plain), "plain text %d", (int) i);
    }
  vrg_error (VRG_FILE, "%s\n",
             "\xc2\x9b"
             "2J");
  check (!strcmp (vrg_error_text (), "??2J\n"), "a message does not steer the terminal");
}

int
main (int argc, char **argv)
{
  char text[4096];
  check_begin (&argc, &argv);
  int rank;
  MPI_Comm_rank (MPI_COMM_WORLD, &rank);

  const double before = vrg_clock ();
  usleep (20000);
  check (vrg_clock () - before >= 0.02 && vrg_clock () - before < 10, "the clock runs");

  catch_begin ();
  vrg_info ("not at this level");
  vrg_warn ("one %d", 1);
  vrg_log_init (rank == 0, VRG_LOG_DEBUG);
  vrg_info ("two");
  vrg_debug ("three");
  catch_end (text, sizeof text);
  check (!strcmp (text, rank ? "" : "vrg: warning: one 1\nvrg: two\nvrg: three\n"), "levels, and only rank 0 speaks");
  check (vrg_log_speaks () == (rank == 0), "who speaks");

  vrg_log_init (rank == 0, VRG_LOG_INFO);
  catch_begin ();
  vrg_progress progress;
  vrg_progress_begin (&progress, "working", "steps", 1000, 1000000);
  const double start = vrg_clock ();
  for (int64_t i = 1000; i < 1000000; i++)
    vrg_progress_update (&progress, i);
  const double taken = vrg_clock () - start;
  vrg_progress_end (&progress, 1000000);
  vrg_progress_end (&progress, 1000000);
  catch_end (text, sizeof text);
  check (taken < 5, "a million updates cost %.3f s", taken);
  check (strchr (text, '\r') == NULL && strchr (text, 033) == NULL, "no bar in a file");
  int lines = 0;
  for (const char *p = text; *p; p++)
    lines += *p == '\n';
  check (lines == (rank == 0), "one line in less than 10 s, at the end");
  check (rank || strstr (text, "vrg: working: 1000000 of 1000000 steps, 999000 of them in ") == text,
         "which says this run's share");

  vrg_log_init (rank == 0, VRG_LOG_WARNING);
  check_state ();
  check_durations ();
  check_settings (rank);
  check_terminal ();
  vrg_log_init (rank == 0, VRG_LOG_INFO);

  check_plain ();
  catch_begin ();
  vrg_warn ("%s", "\033[2J");
  catch_end (text, sizeof text);
  check (!strcmp (text, rank ? "" : "vrg: warning: ?[2J\n"), "nor does the log");
  check (vrg_error (VRG_FILE, "a %s", "b") == VRG_FILE && !strcmp (vrg_error_text (), "a b"),
         "a message is remembered");
  vrg_error (VRG_FILE, "[%s]", vrg_error_text ());
  check (!strcmp (vrg_error_text (), "[a b]"), "and may be part of the next");
  return check_end ();
}
