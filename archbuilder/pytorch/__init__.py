"""Graph -> PyTorch: readable source, and the module that this very source makes.

Writing source needs no torch; `build`, `emitted`, `checkpoint` and `run` do.
"""
