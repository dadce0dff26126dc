"""The commands of the command line, one room for each; `liif_core.__main__` puts them together.

PyTorch is imported by the commands that compute, not by `--help`.
"""
