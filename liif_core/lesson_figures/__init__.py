"""The plots that belong to one lesson each; what several lessons share is in `figures`."""
