"""Files: pictures read safely, what results are like, where they go, whole or strip by strip."""
