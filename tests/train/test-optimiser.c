/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1
 * Moves of the parameters against their formulas written out, on every SIMD path; the schedule's ends and its restarts;
 * averages; the centred gradient against centred averages, and its integers against doubles. */
#include "train/optimiser.h"

#include <string.h>

#include "base/math.h"
#include "base/simd.h"
#include "tests/check.h"

enum
{
  N = 1003
};

static vrg_input
input_of (int method)
{
  vrg_input input
    = { .optimiser = method, .learning_rate = 0.1, .final_rate = 0.001, .momentum = 0.5, .l1 = 0.02, .l2 = 0.01 };
  return input;
}

static int64_t
some (int64_t i)
{
  return (i * 7919 % 4001 - 2000) * (1 << 17);
}

/** One path against the formulas. */
static void
moves (int method, double momentum)
{
  const vrg_input input
    = { .optimiser = method, .learning_rate = 0.1, .final_rate = 0.001, .momentum = momentum, .l1 = 0.02, .l2 = 0.01 };
  const int total = 40;
  const double scale = 1.0 / (1 << 28);
  static double w[3][N], m[3][N], q[3][N], x[N], a[N], b[N];
  static int64_t sums[N];
  const vrg_simd_path best = vrg_simd ();
  vrg_optimise o[3];
  for (int p = 0; p < 3; p++)
    {
      memset (m[p], 0, sizeof m[p]);
      memset (q[p], 0, sizeof q[p]);
      vrg_optimise_init (&o[p], &input, 0, total);
      for (int i = 0; i < N; i++)
        w[p][i] = x[i] = 0.001 * (i - 500);
    }
  memset (a, 0, sizeof a);
  memset (b, 0, sizeof b);
  double worst = 0;
  bool same = true;
  int zeros = 0;
  for (int t = 0; t < total; t++)
    {
      const double rate = 0.1 * pow (0.01, (double) t / (total - 1));
      for (int i = 0; i < N; i++)
        sums[i] = some (i + 31 * t);
      for (int p = 0; p < 3; p++)
        {
          vrg_simd_set ((vrg_simd_path) p);
          if (t == total / 2) /* a restart */
            vrg_optimise_init (&o[p], &input, t, total);
          vrg_optimise_begin (&o[p]);
          vrg_optimise_move (&o[p], N, sums, scale, true, momentum > 0 || method == VRG_ADAM ? m[p] : NULL, q[p], w[p]);
        }
      vrg_simd_set (best);
      for (int i = 0; i < N; i++)
        {
          const double g = scale * (double) sums[i] - 0.01 * x[i];
          if (method == VRG_SGD)
            x[i] += a[i] = momentum * a[i] + rate * g;
          else
            {
              a[i] = 0.9 * a[i] + 0.1 * g;
              b[i] = 0.999 * b[i] + 0.001 * g * g;
              x[i] += rate * a[i] / (1 - pow (0.9, t + 1)) / (sqrt (b[i] / (1 - pow (0.999, t + 1))) + 1e-8);
            }
          x[i] = fabs (x[i]) <= rate * 0.02 ? 0 : x[i] - copysign (rate * 0.02, x[i]);
          worst = fmax (worst, fabs (x[i] - w[0][i]));
          zeros += x[i] == 0;
        }
      same = same && !memcmp (w[0], w[1], sizeof w[0]) && !memcmp (w[0], w[2], sizeof w[0]);
    }
  const char *name = method == VRG_ADAM ? "adam" : momentum > 0 ? "sgd with momentum" : "sgd";
  check (worst < 1e-13, "%s: as its formula (%.1e)", name, worst);
  check (same, "%s: the same bits on every path", name);
  check (zeros > 0, "%s: %d weights at zero", name, zeros);
}

static void
schedule (void)
{
  const vrg_input input = input_of (VRG_SGD);
  vrg_optimise o, again;
  vrg_optimise_init (&o, &input, 0, 101);
  bool same = true, falls = true;
  double first = 0, middle = 0, last = 1;
  for (int t = 0; t < 101; t++)
    {
      vrg_optimise_begin (&o);
      vrg_optimise_init (&again, &input, t, 101);
      vrg_optimise_begin (&again);
      same = same && o.rate == again.rate && o.decay1 == again.decay1 && o.decay2 == again.decay2;
      falls = falls && o.rate < last;
      last = o.rate;
      first = t == 0 ? last : first;
      middle = t == 50 ? last : middle;
    }
  check (same && falls, "the rate is a function of the update alone, and falls");
  check_rel (first, 0.1, 0, "from learning_rate");
  check_rel (middle, 0.01, 1e-14, "geometrically");
  check_rel (last, 0.001, 1e-14, "to final_rate");
  vrg_input constant = input;
  constant.final_rate = constant.learning_rate;
  vrg_optimise_init (&o, &constant, 7, 101);
  vrg_optimise_begin (&o);
  check_rel (o.rate, 0.1, 0, "or stays");
  vrg_optimise_init (&o, &input, 0, 1);
  vrg_optimise_begin (&o);
  check_rel (o.rate, 0.1, 0, "one update alone has learning_rate");
}

/** A layer that is nothing but its shape. */
static vrg_layer
shape (vrg_model *model, int64_t weights, int64_t visible_biases)
{
  return (vrg_layer){ .model = model,
                      .strips = 1,
                      .weights = weights,
                      .visible_biases = visible_biases,
                      .hidden_biases = model->hidden,
                      .parameters = weights + visible_biases + model->hidden,
                      .sites = model->rows * model->columns,
                      .visible = model->rows * model->columns,
                      .hidden = model->hidden };
}

static void
averages (void)
{
  vrg_model model = { .type = VRG_MODEL_DENSE, .rows = 1, .columns = 7, .hidden = 3 };
  vrg_layer layer = shape (&model, 21, 7);
  vrg_parameters mean = vrg_parameters_new (&layer, "test"), value = vrg_parameters_new (&layer, "test");
  double sum = 0;
  for (int n = 1; n <= 50; n++)
    {
      for (int k = 0; k < VRG_PARTS; k++)
        for (int64_t i = 0; i < value.n[k]; i++)
          value.part[k][i] = sin (n + 10 * k + (double) i);
      sum += value.part[0][20];
      vrg_parameters_average (&mean, &value, n);
    }
  check_abs (mean.part[0][20], sum / 50, 1e-15, "running means");
  vrg_parameters_swap (&mean, &value);
  check_abs (value.part[0][20], sum / 50, 1e-15, "exchanged");
  vrg_parameters_copy (&mean, &value);
  check (mean.part[2][2] == value.part[2][2], "copied");
  vrg_parameters_clear (&mean);
  vrg_parameters_clear (&value);
}

/** Averages over two sets of random states, with units moved by the offsets, give the centred gradient. */
static void
centring (void)
{
  enum
  {
    V = 9,
    H = 4,
    STATES = 200
  };
  vrg_model model = { .type = VRG_MODEL_DENSE, .rows = 3, .columns = 3, .hidden = H };
  vrg_layer layer = shape (&model, V * H, V);
  double mu[V], lambda[H], exact[V * H] = { 0 }, exact_a[V] = { 0 }, exact_b[H] = { 0 };
  int64_t sums[V * H + V + H] = { 0 }, mean_v[V + 1], mean_h[H];
  for (int i = 0; i <= V; i++)
    mean_v[i] = (int64_t) (STATES * ldexp (floor (2000 * sin (i)) / 4096, 20));
  for (int j = 0; j < H; j++)
    mean_h[j] = (int64_t) (STATES * ldexp (floor (2000 * cos (j)) / 4096, 20));
  vrg_centre centre = { mu, lambda };
  vrg_centre_move (&layer, &centre, true, STATES, mean_v, mean_h);
  for (int s = 0; s < 2 * STATES; s++)
    {
      const int sign = s < STATES ? 1 : -1;
      for (int j = 0; j < H; j++)
        {
          const int64_t h = (s * 12347 + j * 7541 + s * s * 31) % (1 << 20) - (1 << 19);
          for (int i = 0; i < V; i++)
            {
              const int v = (s * 71 + i * i * 13 + s * i) % 7 < 3 ? 1 : -1;
              sums[j * V + i] += sign * v * h;
              exact[j * V + i] += sign * (v - mu[i]) * ((double) h - lambda[j] * (1 << 20));
              if (j == 0)
                {
                  sums[V * H + i] += sign * v * (1 << 20);
                  exact_a[i] += sign * v * (1 << 20);
                }
            }
          sums[V * H + V + j] += sign * h;
          exact_b[j] += (double) (sign * h);
        }
    }
  for (int j = 0; j < H; j++)
    for (int i = 0; i < V; i++)
      {
        exact_a[i] -= lambda[j] * exact[j * V + i];
        exact_b[j] -= mu[i] * exact[j * V + i];
      }
  vrg_centre_gradient (&layer, &centre, sums);
  double worst = 0;
  for (int i = 0; i < V * H; i++)
    worst = fmax (worst, fabs ((double) sums[i] - exact[i]));
  for (int i = 0; i < V; i++)
    worst = fmax (worst, fabs ((double) sums[V * H + i] - exact_a[i]));
  for (int j = 0; j < H; j++)
    worst = fmax (worst, fabs ((double) sums[V * H + V + j] - exact_b[j]));
  check (worst < 40, "the centred gradient, to %.1f of 2^-20", worst);
  const double before = mu[3];
  vrg_centre_move (&layer, &centre, false, STATES, mean_v + 1, mean_h);
  check_rel (mu[3], before + 0.01 * ((double) mean_v[4] / STATES / (1 << 20) - before), 1e-15,
             "running means of the data");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  moves (VRG_SGD, 0.5);
  moves (VRG_SGD, 0);
  moves (VRG_ADAM, 0);
  schedule ();
  averages ();
  centring ();
  return check_end ();
}
