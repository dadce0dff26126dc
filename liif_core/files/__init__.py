"""Files of results: what they are like, where they go, whole or strip by strip."""
