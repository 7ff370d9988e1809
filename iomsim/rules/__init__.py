"""Who is elected, who leaves, and when it ends: exact integers, no randomness.

Knows errors only.  It must not know anything else of the library: rules are read and asked by all others.
"""
