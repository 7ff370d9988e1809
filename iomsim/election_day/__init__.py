"""The forecast after each announcement: a particle filter over runs that have begun.

Knows the kernel, the laws, the model and forecasts.  It must not know charts or what-ifs.
"""
