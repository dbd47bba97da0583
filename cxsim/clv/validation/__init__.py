"""How well models forecast: held-back orders in, scores and comparisons of models out."""
