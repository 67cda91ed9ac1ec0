"""The simulated networks: a process of its own that answers over real HTTP and refuses what the real ones refuse.

It knows nothing of the product. Facts about Meta are those of November 2026.
"""
