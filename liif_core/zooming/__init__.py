"""Zooming: one photo, or a folder of them; exactly, with fewer codes, or as a self-ensemble."""
