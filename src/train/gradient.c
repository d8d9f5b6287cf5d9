/* SPDX-License-Identifier: GPL-3.0-or-later
 * Contrastive divergence. */
#include "train/gradient.h"

#include "base/memory.h"

struct vrg_gradient
{
  int64_t room; /* samples at a time */
  int32_t *data, *visible, *hidden, *visible_fields, *hidden_fields, *means;
};

vrg_gradient *
vrg_gradient_new (const vrg_layer *layer, int64_t n)
{
  vrg_gradient *g = vrg_new (1, sizeof *g, "a gradient");
  /* a convolution's sample works in the cache; a dense one shares each row of weights, and each sum over strips */
  const int64_t most = layer->model->type == VRG_MODEL_DENSE ? 1024 : 1;
  g->room = n < 1 ? 1 : n < most ? n : most;
  g->data = vrg_new (g->room * layer->visible_units, sizeof (int32_t), "data of a batch");
  g->visible = vrg_new (g->room * layer->visible_units, sizeof (int32_t), "visible units of a batch");
  g->hidden = vrg_new (g->room * layer->hidden_units, sizeof (int32_t), "hidden units of a batch");
  g->visible_fields = vrg_new (g->room * layer->visible_fields, sizeof (int32_t), "fields of a batch");
  g->hidden_fields = vrg_new (g->room * layer->hidden_fields, sizeof (int32_t), "fields of a batch");
  g->means = vrg_new (g->room * layer->hidden_fields, sizeof (int32_t), "means of a batch");
  return g;
}

void
vrg_gradient_free (vrg_gradient *g)
{
  if (!g)
    return;
  vrg_free (g->data);
  vrg_free (g->visible);
  vrg_free (g->hidden);
  vrg_free (g->visible_fields);
  vrg_free (g->hidden_fields);
  vrg_free (g->means);
  vrg_free (g);
}

void
vrg_gradient_cd (vrg_gradient *g, const vrg_layer *layer, const vrg_rng *rng, int64_t steps, int64_t update,
                 int64_t position, int64_t n, const uint64_t *const *samples, int64_t *sums, int64_t *wrong)
{
  for (int64_t first = 0; first < n; first += g->room)
    {
      const int64_t m = n - first < g->room ? n - first : g->room;
      for (int64_t s = 0; s < m; s++)
        vrg_layer_unpack (layer, samples[first + s], g->data + s * layer->visible_units);
      vrg_layer_hidden_fields (layer, m, g->data, g->hidden_fields);
      vrg_layer_means (layer, m, g->hidden_fields, g->means);
      vrg_layer_gradient (layer, m, g->data, g->means, 1, sums);
      for (int64_t step = 0; step < steps; step++)
        {
          vrg_layer_hidden_sample (layer, rng, position + first, m, update, step, g->hidden_fields, g->hidden);
          vrg_layer_visible_fields (layer, m, g->hidden, g->visible_fields);
          vrg_layer_visible_sample (layer, rng, position + first, m, update, step, g->visible_fields, g->visible);
          if (step == 0)
            for (int64_t s = 0; s < m; s++)
              *wrong += vrg_layer_difference (layer, g->data + s * layer->visible_units,
                                              g->visible + s * layer->visible_units);
          vrg_layer_hidden_fields (layer, m, g->visible, g->hidden_fields);
        }
      vrg_layer_means (layer, m, g->hidden_fields, g->means);
      vrg_layer_gradient (layer, m, g->visible, g->means, -1, sums);
    }
}
