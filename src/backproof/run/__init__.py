"""Run: the derived equations as fast, accurate kernels, and training."""
